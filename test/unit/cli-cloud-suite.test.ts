// The management server's and the stores' part of the environment suite, and what it says of answers that are not the expected ones.
import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { isRelease } from "../../providers/cloudstack/index.ts";
import { type CloudProbe, type CloudRequest, cloudSuite } from "../../runner/cloud-suite.ts";
import { exportFault } from "../../runner/nfs-export.ts";

const stores = [{ server: "10.91.0.1", path: "/srv/nfs/primary" }];
const server = { name: "management", address: "10.91.0.41", release: "4.20.3.0" };

const healthy: CloudProbe = {
  database: async () => "8.0.36",
  release: async () => "4.20.3.0",
  api: async () => undefined,
  marker: async () => ({ generation: "1 fp" }),
  exported: async () => undefined,
};

const prove = (changes: Partial<CloudProbe> = {}, more: Partial<CloudRequest> = {}) =>
  cloudSuite({ server, isRelease, stores, storeGeneration: "1 fp", probe: { ...healthy, ...changes }, ...more });

test("a management server and stores that are as they should be pass every case", async () => {
  const results = await prove();
  expect(results.map(({ host, verdict }) => `${host} ${verdict}`)).toEqual(["stores ok", "stores ok", ...Array(3).fill("management ok")]);
});

test("a stack without a management server asks for its stores only", async () => {
  expect((await prove({}, { server: undefined })).map((one) => one.host)).toEqual(["stores", "stores"]);
});

test("a build of the release under test is the release under test", async () => {
  expect((await prove({ release: async () => "4.20.3.0-SNAPSHOT" })).filter((one) => one.verdict !== "ok")).toEqual([]);
});

test.each<[string, Partial<CloudProbe>, string, string]>([
  ["another release", { release: async () => "4.19.1.0" }, "failed", "should run 4.20.3.0, and runs 4.19.1.0"],
  ["an API without a release", { release: async () => "undefined" }, "failed", "runs undefined"],
  ["an API that asks for no keys", { api: async () => "10.91.0.41:8080 answers anybody" }, "failed", "answers anybody"],
  ["an open port that is closed", { release: () => Promise.reject(new Error("ECONNREFUSED")) }, "error", "ECONNREFUSED"],
  ["an API that does not answer", { api: () => Promise.reject(new Error("HTTP 503")) }, "error", "HTTP 503"],
  ["a database that is off", { database: () => Promise.reject(new Error("no greeting")) }, "error", "no greeting"],
  ["a store of somebody else", { marker: async () => ({ fault: "held by p/s/0" }) }, "failed", "held by p/s/0"],
  ["a store of an older cloud", { marker: async () => ({ generation: "1 old" }) }, "failed", "generation should be 1 fp, and is 1 old"],
  ["a store whose emptying was cut off", { marker: async () => ({ generation: "-" }) }, "failed", "not emptied for this cloud"],
  ["a store that is not exported", { exported: async () => "/srv/nfs/primary is not exported" }, "failed", "not exported"],
  ["an NFS server that is off", { exported: () => Promise.reject(new Error("ECONNREFUSED")) }, "error", "ECONNREFUSED"],
])("%s is one bad case, and keeps what was seen", async (_what, changes, verdict, text) => {
  const results = (await prove(changes)).filter((one) => one.verdict !== "ok");
  expect(results).toEqual([expect.objectContaining({ verdict, message: expect.stringContaining(text) })]);
});

test("stores whose cloud is unknown are not blamed for another one's generation", async () => {
  const results = await prove({ marker: async () => ({ generation: "1 other" }) }, { server: undefined, storeGeneration: undefined });
  expect(results.map((one) => one.verdict)).toEqual(["ok", "ok"]);
});

let listening: Server | undefined;
afterEach(() => void listening?.close());

/** A server that answers whatever comes with these words after the record mark; nothing: it hangs up. */
async function answering(words: number[]): Promise<{ address: string; port: number }> {
  const bytes = Buffer.alloc(4 * (words.length + 1));
  [0x8000_0000 + words.length * 4, ...words].forEach((value, index) => void bytes.writeUInt32BE(value, index * 4));
  listening = createServer((socket) => socket.once("data", () => (words.length > 0 ? socket.write(bytes) : socket.destroy())));
  await new Promise<void>((resolve) => listening?.listen(0, "127.0.0.1", resolve));
  return { address: "127.0.0.1", port: (listening.address() as { port: number }).port };
}

const accepted = [1, 1, 0, 0, 0];
test.each([
  ["found", [...accepted, 0, 0, 0, 0], undefined],
  ["kept for others", [...accepted, 0, 13, 0, 0], undefined],
  ["absent", [...accepted, 0, 2, 0, 0], "/srv/nfs is not exported by 127.0.0.1"],
  ["a file on the way", [...accepted, 0, 20, 0, 0], "NFS status 20"],
  ["of version 3 only", [...accepted, 2, 3, 3], undefined],
  ["of no NFS server", [...accepted, 1, 0, 0], "RPC status 1"],
  ["denied by RPC", [1, 1, 1, 1, 5, 0, 0], undefined],
])("an export that is %s is told by the server's own answer", async (_what, words, expected) => {
  const { address, port } = await answering(words);
  const said = await exportFault(address, "/srv/nfs", port);
  if (expected === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(expected);
});

test.each([
  ["hangs up", [], "closed without an answer"],
  ["says too little", [1, 1], "too short"],
])("a server that %s gives no answer", async (_what, words, text) => {
  const { address, port } = await answering(words);
  await expect(exportFault(address, "/srv/nfs", port)).rejects.toThrow(text);
});
