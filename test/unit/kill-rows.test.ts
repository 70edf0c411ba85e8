// Which kill rows there are: what a table that is not a full cross product must still cover.
import { describe, expect, test } from "@jest/globals";
import { allRows, cloudMoments, hostMoments, type KillRow, machineRows, rowName, sampleRows, sharedRows } from "../support/kill-rows.ts";

const rows = allRows();
const values = (list: readonly KillRow[], key: "target" | "signal" | "checkpoints") => new Set(list.map((row) => row[key])).size;

test("no two rows, and no two moments, have one name", () => {
  const moments = [...hostMoments, ...cloudMoments];
  expect(new Set(moments.map((moment) => moment.name)).size).toBe(moments.length);
  expect(new Set(rows.map(rowName)).size).toBe(rows.length);
});

test.each([...hostMoments, ...cloudMoments])("$name: every target, both signals, with checkpoints and without", (moment) => {
  const here = rows.filter((row) => row.moment === moment);
  expect([values(here, "target"), values(here, "signal"), values(here, "checkpoints")]).toEqual([3, 2, 2]);
});

test.each(hostMoments)("$name: in every way", (moment) => {
  expect(rows.filter((row) => row.moment === moment)).toHaveLength(3 * 2 * 2);
});

test("each target meets every pair of signal and state among the cloud's moments", () => {
  const pairs = rows.filter(({ moment }) => cloudMoments.includes(moment)).map((row) => `${row.target} ${row.signal} ${row.checkpoints}`);
  expect(new Set(pairs).size).toBe(3 * 2 * 2);
});

test("rows on emulated machines: each phase of a host once, every target, both signals", () => {
  const machine = machineRows();
  expect(machine.map((row) => row.moment)).toEqual(hostMoments.filter(({ type }) => type === "baremetal:Host"));
  expect([values(machine, "target"), values(machine, "signal"), values(machine, "checkpoints")]).toEqual([3, 2, 2]);
});

test("a seed chooses the same rows each time, one for each target and with both signals; another seed chooses others", () => {
  expect(sampleRows(4)).toEqual(sampleRows(4));
  expect([values(sampleRows(4), "target"), values(sampleRows(4), "signal")]).toEqual([3, 2]);
  expect(sampleRows(5).map(rowName)).not.toEqual(sampleRows(4).map(rowName));
});

describe("labs that share the rows", () => {
  test("have each row exactly once", () => {
    const shared = ["1/3", "2/3", "3/3"].flatMap((share) => sharedRows(rows, share)).map(rowName);
    expect(shared.sort()).toEqual(rows.map(rowName).sort());
  });

  test.each(["0/3", "4/3", "1", "1/0", "a/b", ""])("refuse %j", (share) => {
    expect(() => sharedRows(rows, share)).toThrow("TESTBED_SHARE");
  });
});
