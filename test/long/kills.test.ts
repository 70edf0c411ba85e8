// Every moment × {CLI, provider, everything} × {TERM, KILL} × {checkpoints on, off}: the next up converges, and nothing is orphaned.
import { expect, test } from "@jest/globals";
import { allRows, healthy, killAndHeal, rowName } from "../support/kill.ts";

test.each(allRows().map((row) => [rowName(row), row] as const))(
  "after %s the next up converges and nothing is orphaned",
  async (_, row) => expect(await killAndHeal(row)).toEqual(healthy),
  600_000,
);
