// Nothing is said to a server before its certificate is the pinned one: a real TLS server counts what it gets.
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { JsonRpc } from "../../providers/xenserver/json-rpc.ts";
import { failure } from "../support/context.ts";

const keys = join(import.meta.dirname, "../../lab/keys");
const pem = (name: string) => readFileSync(join(keys, name));
const pin = (name: string) =>
  new RegExp(`${name}: .*tlsSha256: "([^"]+)"`).exec(readFileSync(join(keys, "../../environments/lab/inventory.yaml"), "utf8"))?.[1] ?? "";
const never = new AbortController().signal;

let server: Server;
let received = "";
let answer: (request: string) => string;

const http = (body: string, status = "200 OK") =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const client = (tlsSha256: string, timeoutSeconds = 5) =>
  new JsonRpc("127.0.0.1", (server.address() as AddressInfo).port, { system: "XenServer test", tlsSha256, timeoutSeconds });

beforeAll(async () => {
  server = createServer({ key: pem("xenserver.key.pem"), cert: pem("xenserver.cert.pem") }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      received += data.toString();
      const text = answer(received);
      if (text === "cut") socket.destroy();
      else if (text) socket.write(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

beforeEach(() => {
  received = "";
  answer = () => http('{"jsonrpc":"2.0","result":"OpaqueRef:1","id":1}');
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

test("the pinned server gets the call, over one connection for several", async () => {
  const rpc = client(pin("xenserver"));
  expect(await rpc.call("session.login_with_password", ["root", "secret"], never)).toBe("OpaqueRef:1");
  expect(await rpc.call("VM.get_all", [], never)).toBe("OpaqueRef:1");
  expect(received.match(/POST \/jsonrpc/g)?.length).toBe(2);
  rpc.close();
});

test("a server with another certificate gets not one byte of the request", async () => {
  const error = await failure(client(pin("xenserver-2")).call("session.login_with_password", ["root", "secret"], never));
  expect(error).toMatchObject({ kind: "refused", code: "certificate" });
  expect(error.message).not.toContain("secret");
  expect(received).toBe("");
});

test.each<[string, () => string, string, string]>([
  ["an answer that is no JSON", () => http("<html>"), "refused", "not-xapi"],
  ["an answer without result or error", () => http("{}"), "refused", "not-xapi"],
  ["an answer that is no object", () => http("null"), "refused", "not-xapi"],
  ["HTTP 404", () => http("", "404 Not Found"), "refused", "not-xapi"],
  ["HTTP 500", () => http("<html>", "500 Internal Server Error"), "unreachable", "server-down"],
  ["HTTP 503", () => http("", "503 Service Unavailable"), "unreachable", "server-down"],
  ["a connection that is cut before the answer", () => "cut", "unreachable", "connection-lost"],
])("%s is told as what it is", async (_, reply, kind, code) => {
  answer = reply;
  const rpc = client(pin("xenserver"));
  expect(await failure(rpc.call("VM.get_all", [], never))).toMatchObject({ kind, code });
  rpc.close();
});

test("a server that does not answer is given up in time", async () => {
  answer = () => "";
  const rpc = client(pin("xenserver"), 0.2);
  expect(await failure(rpc.call("VM.get_all", [], never))).toMatchObject({ kind: "timeout", code: "no-answer" });
  rpc.close();
});

test("an interrupted call ends at once and says so", async () => {
  answer = () => "";
  const rpc = client(pin("xenserver"));
  expect(await failure(rpc.call("VM.get_all", [], AbortSignal.timeout(100)))).toMatchObject({ kind: "timeout", code: "interrupted" });
  rpc.close();
});

test("a port where nothing listens is told as unreachable, and nothing was sent", async () => {
  const rpc = new JsonRpc("127.0.0.1", 1, { system: "XenServer test", tlsSha256: pin("xenserver"), timeoutSeconds: 5 });
  expect(await failure(rpc.call("VM.get_all", [], never))).toMatchObject({ kind: "unreachable", code: "connect-failed" });
});
