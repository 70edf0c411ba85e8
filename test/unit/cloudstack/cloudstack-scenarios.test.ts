// The emulator against the scenarios that were recorded on a real 4.20.3.0 server. By which rules replies are compared stands in
// test/recordings/cloudstack/COMPARISON.md; differences.json lists every call on which they differ, and why.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Relay } from "../../../lab/cloudstack/relay.ts";
import { ManualClock } from "../../support/cloud-clock.ts";
import { CloudGuest } from "../../support/cloud-guest.ts";
import { readRecording } from "../../support/cloud-recording.ts";
import { comparedCommands, Replay } from "../../support/cloud-replay.ts";
import { type Scenario, scenarios } from "../../support/cloud-scenarios.ts";
import { freePorts } from "../../support/free-ports.ts";

const LEAST_AGREEMENT = 0.98;
/** Until the system VMs of a zone that was deployed before run. */
const SETTLE_SECONDS = 10;
const SCENARIO_MILLISECONDS = 120_000;

const folder = mkdtempSync(join(tmpdir(), "cloudstack-scenarios-"));
const listed = JSON.parse(readFileSync(new URL("../../recordings/cloudstack/differences.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;
const clock = new ManualClock();
let server: Server;
let guest: CloudGuest | undefined;
let calls = 0;
let agreed = 0;

beforeAll(async () => {
  server = await new Relay(folder, { start: 0.05, between: 0.01, stop: 0.05, clock }).listen("127.0.0.1", 0);
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

async function installed(name: string): Promise<{ guest: CloudGuest; replay: Replay }> {
  const [api = 0, open = 0, database = 0] = await freePorts(3);
  const places = { 8080: api, 8096: open, 3306: database };
  const address = server.address() as { port: number };
  guest = new CloudGuest({ host: "127.0.0.1", port: address.port }, `token-${name}`, name, places);
  guest.on();
  await guest.until(8080, "open");
  return { guest, replay: new Replay(places, clock) };
}

async function prepare(replay: Replay, scenario: Scenario): Promise<void> {
  for (const [name, first, last] of scenario.before)
    for (const call of readRecording(name)) if (call.n >= first && call.n <= last) await replay.run(call);
  if (scenario.settled) await clock.advance(SETTLE_SECONDS);
  for (const [id, name] of Object.entries(scenario.offerings ?? {})) await replay.learnOffering(id, name);
  replay.begin();
}

/** What differs, by the numbers of the calls that count. */
async function replayed(scenario: Scenario): Promise<{ found: Map<number, string>; compared: number }> {
  const { guest, replay } = await installed(scenario.name);
  await prepare(replay, scenario);
  const found = new Map<number, string>();
  let compared = 0;
  for (const call of readRecording(scenario.name)) {
    const difference = await replay.run(call);
    const counts = comparedCommands.has(String(call.params.command));
    if (counts) compared++;
    if (counts && difference) found.set(call.n, difference);
    const { meanwhile, stopped } = scenario;
    if (stopped?.[0] === call.n) await guest.systemctl("stop");
    if (stopped?.[1] === call.n) {
      await guest.systemctl("start");
      await guest.until(8080, "open");
    }
    if (meanwhile?.after === call.n)
      for (const one of readRecording(meanwhile.recording)) if (one.n === meanwhile.call) await replay.run(one);
  }
  await guest.off();
  return { found, compared };
}

const percent = (part: number, whole: number) => `${part} of ${whole} calls agree: ${((100 * part) / whole).toFixed(1)} %`;

test.each(scenarios)(
  "$name: every difference is a listed one, and every listed one is there",
  async (scenario) => {
    const { found, compared } = await replayed(scenario);
    calls += compared;
    agreed += compared - found.size;
    process.stdout.write(`${scenario.name}: ${percent(compared - found.size, compared)}\n`);
    const known = Object.keys(listed).filter((call) => call.startsWith(`${scenario.name}#`));
    expect([...found].filter(([n]) => !known.includes(`${scenario.name}#${n}`))).toEqual([]);
    expect(known.filter((call) => !found.has(Number(call.split("#")[1])))).toEqual([]);
  },
  SCENARIO_MILLISECONDS,
);

test("98 % of all calls agree", () => {
  process.stdout.write(`all scenarios: ${percent(agreed, calls)}\n`);
  expect(agreed / calls).toBeGreaterThanOrEqual(LEAST_AGREEMENT);
});
