// A seeded sample of test/long/kills.test.ts: TESTBED_SEED chooses other rows.
import { expect, test } from "@jest/globals";
import { healthy, killAndHeal, rowName, sampleRows } from "../support/kill.ts";

const seed = Number(process.env.TESTBED_SEED ?? 4);

test.each(sampleRows(seed).map((row) => [rowName(row), row] as const))(
  `after %s the next up converges and nothing is orphaned (seed ${seed})`,
  async (_, row) => expect(await killAndHeal(row)).toEqual(healthy),
  600_000,
);
