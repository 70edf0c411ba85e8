// The XML-RPC transport against servers on the loopback interface: what each misbehaviour comes out as.
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, test } from "@jest/globals";
import { XmlRpcFault, type XmlRpcOptions, type XmlRpcValue, xmlRpcClient } from "../../providers/transport/xmlrpc.ts";
import { failure } from "../support/context.ts";
import { selfSigned } from "../support/tls.ts";

const open: { server: Server; sockets: Set<Socket> }[] = [];

/** Listens on a free port of the loopback interface until the test has ended. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  open.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

const response = (value: string) =>
  `<?xml version="1.0"?><methodResponse><params><param><value>${value}</value></param></params></methodResponse>`;
const call = (url: string, options: Partial<XmlRpcOptions> = {}, signal?: AbortSignal, parameters: XmlRpcValue[] = []) =>
  xmlRpcClient(url, { system: "the server", timeoutSeconds: 10, ...options }).call("method", parameters, signal);

async function http(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttpServer(listener))}/RPC2`;
}

describe("a call", () => {
  test("sends its body with a length, never chunked", async () => {
    let headers: Record<string, unknown> = {};
    const url = await http((incoming, reply) => {
      headers = incoming.headers;
      reply.end(response("<int>7</int>"));
    });
    expect(await call(url)).toBe(7);
    expect(headers["transfer-encoding"]).toBeUndefined();
    expect(Number(headers["content-length"])).toBeGreaterThan(50);
  });

  test("goes over the connection of the one before", async () => {
    let connections = 0;
    const server = createHttpServer((_, reply) => reply.end(response("<int>7</int>"))).on("connection", () => connections++);
    const client = xmlRpcClient(`http://127.0.0.1:${await listen(server)}/`, { system: "the server", timeoutSeconds: 10 });
    for (let index = 0; index < 3; index++) expect(await client.call("method", [])).toBe(7);
    expect(connections).toBe(1);
  });

  test("opens another connection where the server closes each, as cobblerd does", async () => {
    let connections = 0;
    const answer = response("<int>7</int>");
    const server = createTcpServer((socket) => {
      connections++;
      socket.once("data", () => socket.end(`HTTP/1.0 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`));
    });
    const client = xmlRpcClient(`http://127.0.0.1:${await listen(server)}/`, { system: "the server", timeoutSeconds: 10 });
    for (let index = 0; index < 3; index++) expect(await client.call("method", [])).toBe(7);
    expect(connections).toBe(3);
  });

  test("is lost, not made twice, where the server cuts the connection that it had kept", async () => {
    let calls = 0;
    const server = createHttpServer((_, reply) => {
      if (calls++ === 0) reply.end(response("<int>7</int>"));
      else reply.destroy();
    });
    const client = xmlRpcClient(`http://127.0.0.1:${await listen(server)}/`, { system: "the server", timeoutSeconds: 10 });
    expect(await client.call("method", [])).toBe(7);
    const error = await failure(client.call("method", []));
    expect([error.kind, error.code, calls]).toEqual(["unreachable", "connection-lost", 2]);
  });

  test("reads texts, numbers, booleans, lists and structures", async () => {
    const url = await http((_, reply) =>
      reply.end(
        response(
          "<struct><member><name>a</name><value><array><data><value><boolean>1</boolean></value><value>über &amp; ]]&gt;</value></data></array></value></member><member><name>b</name><value><double>1.5</double></value></member></struct>",
        ),
      ),
    );
    expect(await call(url)).toEqual({ a: [true, "über & ]]>"], b: 1.5 });
  });

  test("hands a fault over with its number and text", async () => {
    const url = await http((_, reply) =>
      reply.end(
        "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member><member><name>faultString</name><value><string>no such thing</string></value></member></struct></value></fault></methodResponse>",
      ),
    );
    const error = await call(url).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(XmlRpcFault);
    expect(error).toMatchObject({ faultCode: 1, message: "no such thing" });
  });
});

describe("a value that the server would take and choke on", () => {
  test.each<[string, XmlRpcValue, string]>([
    ["a number of more than 32 bits", { limit: [2 ** 31] }, "parameter 1.limit[0] is 2147483648"],
    ["not a number", Number.NaN, "parameter 1 is NaN"],
    ["a control character", "bell\u0007", "parameter 1 holds the control character U+0007"],
    ["a control character in a key", { "a\u0000": 1 }, "a key of parameter 1 holds the control character U+0000"],
    ["nothing at all", [undefined as unknown as string], "parameter 1[0] is undefined"],
  ])("is refused before anything is sent: %s", async (_, value, text) => {
    const error = await failure(call("http://127.0.0.1:9/RPC2", {}, undefined, [value]));
    expect([error.kind, error.code]).toEqual(["invalid", "unsendable"]);
    expect(error.message).toContain(text);
  });
});

describe("a server that", () => {
  test("does not listen is unreachable, and nothing was sent", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    open.pop();
    const error = await failure(call(`http://127.0.0.1:${port}/RPC2`));
    expect([error.kind, error.code]).toEqual(["unreachable", "connect-failed"]);
    expect(error.message).toContain(`http://127.0.0.1:${port}/RPC2`);
  });

  test("closes without an answer may have done the work", async () => {
    const port = await listen(createTcpServer((socket) => socket.once("data", () => socket.destroy())));
    const error = await failure(call(`http://127.0.0.1:${port}/`));
    expect([error.kind, error.code]).toEqual(["unreachable", "connection-lost"]);
  });

  test("stops in the middle of its answer may have done the work", async () => {
    const url = await http((_, reply) => {
      reply.writeHead(200, { "Content-Length": 5000 });
      reply.write("<methodResponse>", () => reply.destroy());
    });
    const error = await failure(call(url));
    expect([error.kind, error.code]).toEqual(["unreachable", "connection-lost"]);
  });

  test.each([502, 503, 504])("is away behind its proxy, which says %i, is unreachable", async (status) => {
    const url = await http((_, reply) => reply.writeHead(status).end("away"));
    const error = await failure(call(url));
    expect([error.kind, error.code]).toEqual(["unreachable", "server-down"]);
  });

  test.each([404, 401, 500, 301])("answers with HTTP status %i is refused, for its address is wrong", async (status) => {
    const url = await http((_, reply) => reply.writeHead(status).end());
    const error = await failure(call(url));
    expect([error.kind, error.code]).toEqual(["refused", "not-xmlrpc"]);
    expect(error.message).toContain(String(status));
  });

  test.each([
    ["a web page", "<html><body>It works!</body></html>"],
    ["nothing", ""],
    ["plain text", "hello"],
    ["half a response", "<methodResponse><params><param><value><array><data>"],
  ])("answers with %s is refused, with what it said", async (_, body) => {
    const url = await http((_, reply) => reply.end(body));
    const error = await failure(call(url));
    expect([error.kind, error.code]).toEqual(["refused", "not-xmlrpc"]);
    expect(error.message).toContain(JSON.stringify(body.slice(0, 80)));
  });

  test("speaks another protocol is refused", async () => {
    const port = await listen(createTcpServer((socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n")));
    const error = await failure(call(`http://127.0.0.1:${port}/`));
    expect([error.kind, error.code]).toEqual(["refused", "not-xmlrpc"]);
  });

  test("answers with more than the limit is cut off", async () => {
    let written = 0;
    const url = await http((_, reply) => {
      const more = () => {
        while (!reply.destroyed && written < 2 ** 28) {
          written += 65536;
          if (!reply.write(Buffer.alloc(65536, 97))) return void reply.once("drain", more);
        }
      };
      more();
    });
    const error = await failure(call(url, { maximumBytes: 100_000 }));
    expect([error.kind, error.code]).toEqual(["refused", "too-large"]);
    expect(error.message).toContain("100000 bytes");
    expect(written).toBeLessThan(2 ** 27);
  });
});

describe("a server that is silent", () => {
  const ended = (sockets: Socket[]) => new Promise<void>((resolve) => sockets[0]?.once("close", () => resolve()));

  test("is given up after the limit, and its connection is closed", async () => {
    const sockets: Socket[] = [];
    const port = await listen(createTcpServer((socket) => void sockets.push(socket.resume())));
    const error = await failure(call(`http://127.0.0.1:${port}/`, { timeoutSeconds: 0.2 }));
    expect([error.kind, error.code]).toEqual(["timeout", "no-answer"]);
    expect(error.message).toContain("no answer within 0.2 s");
    await ended(sockets);
  });

  test("is left when the caller is cancelled, and its connection is closed", async () => {
    const sockets: Socket[] = [];
    const controller = new AbortController();
    const port = await listen(
      createTcpServer((socket) => {
        sockets.push(socket.resume());
        controller.abort(new Error("interrupted by SIGTERM"));
      }),
    );
    const error = await failure(call(`http://127.0.0.1:${port}/`, {}, controller.signal));
    expect([error.kind, error.code]).toEqual(["timeout", "interrupted"]);
    expect(error.message).toContain("interrupted by SIGTERM");
    await ended(sockets);
  });

  test("is not even asked by a cancelled caller", async () => {
    let asked = 0;
    const url = await http((_, reply) => {
      asked++;
      reply.end(response("1"));
    });
    expect((await failure(call(url, {}, AbortSignal.abort(new Error("interrupted by SIGINT"))))).code).toBe("interrupted");
    expect(asked).toBe(0);
  });

  test("in the middle of the TLS handshake is given up after the limit", async () => {
    const port = await listen(createTcpServer((socket) => void socket.resume()));
    expect((await failure(call(`https://127.0.0.1:${port}/`, { timeoutSeconds: 0.2 }))).code).toBe("no-answer");
  });
});

describe("over HTTPS", () => {
  const { fingerprint, ...pem } = selfSigned();
  let requests = 0;

  async function https(): Promise<string> {
    requests = 0;
    const plain = createHttpServer((_, reply) => {
      requests++;
      reply.end(response("<boolean>1</boolean>"));
    });
    const server = createTlsServer(pem, (socket) => plain.emit("connection", socket));
    server.on("tlsClientError", () => undefined);
    return `https://127.0.0.1:${await listen(server)}/cobbler_api`;
  }

  test.each([
    ["as hexadecimal digits", (text: string) => text],
    ["with colons and in capitals", (text: string) => (text.match(/../g) ?? []).join(":").toUpperCase()],
  ])("the pinned certificate is accepted, %s, whoever signed it", async (_, write) => {
    expect(await call(await https(), { tlsFingerprint: write(fingerprint) })).toBe(true);
    expect(requests).toBe(1);
  });

  test("another certificate than the pinned one is refused before any request, with both fingerprints", async () => {
    const pin = "ab".repeat(32);
    const error = await failure(call(await https(), { tlsFingerprint: pin }));
    expect([error.kind, error.code]).toEqual(["refused", "certificate"]);
    expect(error.message).toContain(pin);
    expect(error.message).toContain(fingerprint);
    expect(requests).toBe(0);
  });

  test("without a pin an unknown authority is refused before any request", async () => {
    const error = await failure(call(await https()));
    expect([error.kind, error.code]).toEqual(["refused", "certificate"]);
    expect(requests).toBe(0);
  });

  test("a server that speaks plain HTTP at that port is refused", async () => {
    const plain = new URL(await http((_, reply) => reply.end(response("1"))));
    const error = await failure(call(`https://127.0.0.1:${plain.port}/`, { tlsFingerprint: fingerprint }));
    expect([error.kind, error.code]).toEqual(["refused", "tls"]);
  });
});
