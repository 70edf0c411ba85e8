// The client of CloudStack's API against the emulator, in this process.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Relay } from "../../../lab/cloudstack/relay.ts";
import { type Access, CloudStackClient } from "../../../providers/cloudstack/client.ts";
import { obtainKeys } from "../../../providers/cloudstack/keys.ts";
import { isRelease } from "../../../providers/cloudstack/management-server.ts";
import { signature } from "../../../providers/cloudstack/signing.ts";
import { CloudGuest } from "../../support/cloud-guest.ts";
import { failure, testContext } from "../../support/context.ts";
import { freePorts } from "../../support/free-ports.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudstack-client-"));
let relay: TcpServer;
let guest: CloudGuest;
let ports: { api: number; open: number };

beforeAll(async () => {
  relay = await new Relay(folder, { start: 0.05, between: 0.05, stop: 0.05 }).listen("127.0.0.1", 0);
  const [api = 0, open = 0, database = 0] = await freePorts(3);
  ports = { api, open };
  const place = { host: "127.0.0.1", port: (relay.address() as AddressInfo).port };
  guest = new CloudGuest(place, "token", "management", { 8080: api, 8096: open, 3306: database });
  guest.on();
  await guest.until(8080, "open");
});

afterEach(() => guest.fault("clear"));

afterAll(async () => {
  await guest.off();
  await new Promise((resolve) => relay.close(resolve));
  rmSync(folder, { recursive: true });
});

const at = (port: number, access: Access) => new CloudStackClient(testContext(), { address: "127.0.0.1", port }, access);
const open = () => at(ports.open, { kind: "open" });
const session = (user = "admin", password = "password") => at(ports.api, { kind: "session", user, password });

async function signed(): Promise<CloudStackClient> {
  const { apiKey, secretKey } = await obtainKeys(open());
  return at(ports.api, { kind: "signed", apiKey, secretKey });
}

/** A plain user, whose account the caller deletes. */
async function account(username: string, password = "password"): Promise<string> {
  const fields = { username, password, email: "p@example.org", firstname: "P", lastname: "Lain", accounttype: "0" };
  return ((await open().change("createAccount", fields)).account as { id: string }).id;
}

describe("signatures", () => {
  test.each([
    [{ apiKey: "AKEY", command: "listZones", response: "json" }, "BmkPBlBpyifpam65O0n6t7Ag4Hk="],
    [
      {
        ...{ apiKey: "AKEY", clusterid: "c", command: "addHost", hypervisor: "Simulator", password: "p a+s*s~(1)'!" },
        ...{ podid: "p", response: "json", url: "http://sim/c0/h0", username: "root", zoneid: "z" },
      },
      "LNFMjRT4jbkHOBxNBpYddxAzvhg=",
    ],
  ])("agree with those of the server's own code: %#", (parameters, expected) => {
    expect(signature(parameters as unknown as Record<string, string>, "SKEY")).toBe(expected);
  });

  test("are accepted with every odd character in a value", async () => {
    const client = await signed();
    const odd = "a b+c*d~e/f[0]:,=&%@'()!_-.Zürich✓";
    expect(await client.read("listZones", { name: odd })).toEqual({});
  });
});

describe("a session", () => {
  test("passes a password of odd characters unchanged", async () => {
    const id = await account("odd", "p a+s*s~(1)'!&=%ü");
    expect(await session("odd", "p a+s*s~(1)'!&=%ü").list("listUsers", "user")).toHaveLength(1);
    await open().changeAndWait("deleteAccount", { id });
  });

  test("that a restart of the server forgot is opened anew", async () => {
    const client = session();
    await client.read("listZones");
    await guest.systemctl("restart");
    await guest.until(8080, "open");
    expect(await client.read("listZones")).toEqual({});
  });

  test("with a wrong password is refused, and the password is in no text", async () => {
    const error = await failure(session("admin", "wrong-password").read("listZones"));
    expect(error).toMatchObject({ kind: "refused", code: "531" });
    expect(error.message).not.toContain("wrong-password");
  });
});

describe("jobs", () => {
  test("are waited for, and give their result", async () => {
    const id = await account("one");
    expect(await open().changeAndWait("deleteAccount", { id })).toEqual({ success: true });
  });

  test("that fail are errors with the job's own code and text", async () => {
    const id = await account("two");
    const [first, second] = await Promise.allSettled([
      open().changeAndWait("deleteAccount", { id }),
      open().changeAndWait("deleteAccount", { id }),
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { kind: "invalid", code: "431" } });
    expect(String((second as PromiseRejectedResult).reason)).toMatch(/deleteAccount \(job .*unable to find account by id/);
  });
});

describe("errors", () => {
  test.each([
    [
      "keys that the server does not know",
      "refused",
      "401",
      () => at(ports.api, { kind: "signed", apiKey: "a", secretKey: "b" }).read("listZones"),
    ],
    ["a command that the release does not have", "invalid", "432/9999", () => open().read("listFrobnications")],
    ["an object that does not exist", "invalid", "431/9999", () => open().read("listZones", { id: "nonsense" })],
    ["a missing parameter", "invalid", "431/9999", () => open().change("createZone", { name: "z" })],
  ])("%s", async (_, kind, code, call) => {
    expect(await failure(call())).toMatchObject({ kind, code });
  });

  test("a port where nothing listens is unreachable", async () => {
    const [nothing = 0] = await freePorts(1);
    const error = await failure(at(nothing, { kind: "open" }).once("registerUserKeys", { id: "1" }));
    expect(error).toMatchObject({ kind: "unreachable", code: "ECONNREFUSED" });
    expect(error.message).toContain("ECONNREFUSED");
  });

  test.each([
    ["cut", 1, (response: ServerResponse) => void response.destroy()],
    ["of 500", 1, (response: ServerResponse) => void response.writeHead(500).end("broken")],
    ["of 503, which did nothing,", 3, (response: ServerResponse) => void response.writeHead(503).end("starting")],
  ])("a change whose answer is %s is sent %i times", async (_, times, spoil) => {
    let seen = 0;
    const server: Server = createServer((_request, response) => {
      seen++;
      if (seen < 3) spoil(response);
      else response.end(JSON.stringify({ createzoneresponse: { zone: { id: "z" } } }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as AddressInfo;
    const change = at(port, { kind: "open" }).change("createZone", { name: "z" });
    if (times === 3) expect(await change).toEqual({ zone: { id: "z" } });
    else expect((await failure(change)).kind).toBe("unreachable");
    expect(seen).toBe(times);
    await new Promise((resolve) => server.close(resolve));
  });

  test("a list longer than a page is read to its end", async () => {
    const server: Server = createServer((request, response) => {
      const query = new URL(request.url ?? "", "http://x").searchParams;
      const page = Number(query.get("page") ?? "1");
      const size = Number(query.get("pagesize") ?? "2");
      const zone = [1, 2, 3, 4, 5].slice((page - 1) * size, page * size).map((id) => ({ id }));
      response.end(JSON.stringify({ listzonesresponse: { count: 5, ...(zone.length > 0 ? { zone } : {}) } }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const rows = await at((server.address() as AddressInfo).port, { kind: "open" }).list<{ id: number }>("listZones", "zone");
    expect(rows.map((one) => one.id)).toEqual([1, 2, 3, 4, 5]);
    await new Promise((resolve) => server.close(resolve));
  });

  test("reads are asked again until an overloaded server answers", async () => {
    await guest.fault("cloud-5xx", "2");
    expect(await open().read("listZones")).toEqual({});
  });

  test.each([
    ["a page of another program", "<html><body>It works!</body></html>", /HTTP 200 without an API reply: <html>/],
    ["an empty object", "{}", /empty reply/],
    ["a bare word", "null", /without an API reply: null/],
  ])("%s is not an API", async (_, text, expected) => {
    const server: Server = createServer((_request, response) => response.end(text));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as AddressInfo;
    const error = await failure(at(port, { kind: "open" }).once("listZones"));
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(expected);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

test.each([
  ["4.20.3.0", "4.20", true],
  ["4.20.3.0", "4.20.3.0", true],
  ["4.20.3.0-SNAPSHOT", "4.20.3.0", true],
  ["4.20.3.0", "4.2", false],
  ["4.20.3.0", "4.20.3.0-SNAPSHOT", false],
  ["4.19.1.0", "4.20", false],
])("release %s is %s: %s", (seen, wanted, expected) => {
  expect(isRelease(seen, wanted)).toBe(expected);
});
