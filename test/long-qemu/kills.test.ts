// The same on a host with emulated firmware: where a real machine is left when an `up` ends in the middle of a boot or an installation.
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { healthy, Victim } from "../support/kill.ts";
import { machineRows, rowName } from "../support/kill-rows.ts";

/** Two installations under TCG, on cores that others may use. */
const ROW_MILLISECONDS = 900_000;
let done = 0;
const victim = new Victim({ managementServer: false });
const rows = machineRows();

beforeAll(async () => {
  await victim.start();
  await victim.learn();
}, ROW_MILLISECONDS);
afterAll(() => victim.stop());
// jest says nothing before the last row has ended.
afterEach(() => void process.stderr.write(`${++done} of ${rows.length}: ${expect.getState().currentTestName}\n`));

test.each(rows.map((row) => [rowName(row), row] as const))(
  "after %s the next up converges and nothing is orphaned",
  async (_, row) => expect(await victim.killAndHeal(row)).toEqual(healthy),
  ROW_MILLISECONDS,
);
