// An `up` from nothing is interrupted at every moment and in every way: the next one converges, and nothing is orphaned.
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { healthy, Victim } from "../support/kill.ts";
import { allRows, rowName, sharedRows } from "../support/kill-rows.ts";

let done = 0;
const victim = new Victim();
const rows = sharedRows(allRows(), process.env.TESTBED_SHARE);

beforeAll(async () => {
  await victim.start();
  await victim.learn();
}, 600_000);
afterAll(() => victim.stop());
// jest says nothing before the last row has ended.
afterEach(() => void process.stderr.write(`${++done} of ${rows.length}: ${expect.getState().currentTestName}\n`));

test.each(rows.map((row) => [rowName(row), row] as const))(
  "after %s the next up converges and nothing is orphaned",
  async (_, row) => expect(await victim.killAndHeal(row)).toEqual(healthy),
  600_000,
);
