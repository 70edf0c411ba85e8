// The emulator against recordings of a real 4.20.3.0 server. differences.json lists every call on which they differ, and why.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Relay } from "../../../lab/cloudstack/relay.ts";
import { CloudGuest } from "../../support/cloud-guest.ts";
import { type Recorded, readRecording } from "../../support/cloud-recording.ts";
import { Replay } from "../../support/cloud-replay.ts";
import { freePorts } from "../../support/free-ports.ts";
import { waitUntil } from "../../support/wait-until.ts";

const LEAST_AGREEMENT = 0.97;

const folder = mkdtempSync(join(tmpdir(), "cloudstack-recordings-"));
let server: Server;
let guests = 0;
const switchedOn: CloudGuest[] = [];

beforeAll(async () => {
  server = await new Relay(folder, { start: 0.3, between: 0.2, stop: 0.3 }).listen("127.0.0.1", 0);
});

afterAll(async () => {
  await Promise.all(switchedOn.map((guest) => guest.off()));
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** A newly installed machine, and a client of it. */
async function installed(): Promise<{ guest: CloudGuest; replay: Replay }> {
  const [api = 0, open = 0, database = 0] = await freePorts(3);
  const places = { 8080: api, 8096: open, 3306: database };
  const address = server.address() as { port: number };
  const guest = new CloudGuest({ host: "127.0.0.1", port: address.port }, `token-${guests++}`, "management", places);
  switchedOn.push(guest);
  return { guest, replay: new Replay(places) };
}

async function replayAll(replay: Replay, calls: readonly Recorded[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const call of calls) {
    const difference = await replay.run(call);
    if (difference) found.set(call.n, difference);
  }
  return found;
}

/** Calls that were repeated until something changed: the recording holds the changes only. */
async function replayChanges(replay: Replay, calls: readonly Recorded[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const call of calls) {
    let difference: string | undefined;
    await waitUntil(
      `call ${call.n}`,
      async () => !(difference = await replay.run(call))?.startsWith("status: expected"),
      difference ? 1 : 5,
    ).catch(() => undefined);
    if (difference) found.set(call.n, difference);
  }
  return found;
}

const seen: Record<string, { calls: number; differences: Map<number, string> }> = {};

test("a first start: refused, then port 8096, then port 8080", async () => {
  const { guest, replay } = await installed();
  const calls = readRecording("starting");
  const differences = await replayAll(replay, calls.slice(0, 4));
  guest.on();
  for (const [n, text] of await replayChanges(replay, calls.slice(4))) differences.set(n, text);
  expect(guest.told).toEqual(["open 3306", "open 8096", "open 8080"]);
  seen.starting = { calls: calls.length, differences };
});

test("a stop: port 8080 is closed first, port 8096 answers on; then a start on an empty database", async () => {
  const { guest, replay } = await installed();
  const calls = readRecording("starting-stop-and-start");
  guest.on();
  await guest.until(8080, "open");
  const differences = await replayAll(replay, calls.slice(0, 4));
  const stopping = guest.systemctl("stop");
  for (const [n, text] of await replayChanges(replay, calls.slice(4, 9))) differences.set(n, text);
  await stopping;
  expect(guest.told.slice(3)).toEqual(["close 8080", "close 8096"]);
  await guest.systemctl("start");
  for (const [n, text] of await replayChanges(replay, calls.slice(9))) differences.set(n, text);
  seen["starting-stop-and-start"] = { calls: calls.length, differences };
});

test("authentication, formats, parameters and jobs", async () => {
  const { guest, replay } = await installed();
  const calls = readRecording("auth");
  guest.on();
  await guest.until(8080, "open");
  seen.auth = { calls: calls.length, differences: await replayAll(replay, calls) };
});

test("signatures character by character, and every combination of cookies", async () => {
  const { guest, replay } = await installed();
  const calls = readRecording("auth-extra");
  guest.on();
  await guest.until(8080, "open");
  // The recording begins on a server whose administrator has keys.
  await replayAll(replay, readRecording("auth").slice(3, 9));
  seen["auth-extra"] = { calls: calls.length, differences: await replayAll(replay, calls) };
});

test("every difference is a listed one, every listed one is there, and 97 % of the calls agree", () => {
  const listed = JSON.parse(readFileSync(new URL("../../recordings/cloudstack/differences.json", import.meta.url), "utf8")) as Record<
    string,
    string
  >;
  const found = Object.entries(seen).flatMap(([name, { differences }]) =>
    [...differences].map(([n, text]) => [`${name}#${n}`, text] as const),
  );
  expect(found.filter(([call]) => !(call in listed))).toEqual([]);
  const ofThese = Object.keys(listed).filter((call) => (call.split("#")[0] ?? "") in seen);
  expect(ofThese.sort()).toEqual(found.map(([call]) => call).sort());
  const calls = Object.values(seen).reduce((sum, one) => sum + one.calls, 0);
  expect(calls).toBe(315);
  expect(1 - found.length / calls).toBeGreaterThanOrEqual(LEAST_AGREEMENT);
});
