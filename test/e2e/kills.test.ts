// A seeded sample of test/long/kills.test.ts: TESTBED_SEED chooses other rows.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { healthy, Victim } from "../support/kill.ts";
import { rowName, sampleRows } from "../support/kill-rows.ts";

const seed = Number(process.env.TESTBED_SEED ?? 4);
const victim = new Victim();

beforeAll(() => victim.start(), 600_000);
afterAll(() => victim.stop());

test.each(sampleRows(seed).map((row) => [rowName(row), row] as const))(
  `after %s the next up converges and nothing is orphaned (seed ${seed})`,
  async (_, row) => expect(await victim.killAndHeal(row)).toEqual(healthy),
  600_000,
);
