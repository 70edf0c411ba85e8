// Every verdict of the gate has a remedy of its own, and the operator's guide tells it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { report, verdictOf } from "../../runner/health.ts";
import { remedies, remedyOf } from "../../runner/health-remedies.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/operators-guide.md"), "utf8");

describe("a verdict as the gate words it", () => {
  test.each([
    ["the zone does not exist", "the zone does not exist"],
    ["the zone is Disabled", "the zone is Disabled"],
    ["host 3f is gone", "host … is gone, storage pool … is gone"],
    ["storage pool 3f is gone", "host … is gone, storage pool … is gone"],
    ["no host is there", "no host is there, no storage pool is there"],
    ["host h11 (10.91.0.11) is in resource state Maintenance", "host … is in resource state …"],
    ["host h11 (10.91.0.11) is Alert", "host … is Alert, Down, Disconnected, Connecting …"],
    ["storage pool PS0 is Maintenance", "storage pool … is Maintenance, ErrorInMaintenance …"],
    ["no console proxy is Running (seen: none)", "no console proxy is Running, no secondary storage VM is Running"],
    ["no agent of a secondary storage VM is Up (seen: s-2-VM not there)", "no agent of a … is Up"],
    ["a system VM failed to start 2 times: Secondary Storage Vm creation failure", "a system VM failed to start … times"],
    ["no built-in template is ready (none is known)", "no built-in template is ready"],
  ])("%s", (text, verdict) => {
    expect(remedyOf(text)).toBe(remedies.find((one) => one.verdict === verdict)?.remedy);
  });

  test("that nobody knows is sent to the log", () => {
    expect(remedyOf("something else")).toContain("log");
  });
});

test("the operator's guide has every verdict with its remedy", () => {
  for (const { verdict, remedy } of remedies) {
    expect(guide).toContain(`| ${verdict} |`);
    expect(guide).toContain(remedy.split(/[;:]/)[0]);
  }
});

test("a red zone shows what is wrong, whether time may heal it, and the remedy; a healthy one what is there", () => {
  const faults = [
    { text: "host h11 (10.91.0.11) is Alert", final: true },
    { text: "no console proxy is Running (seen: none)", final: false },
  ];
  const red = verdictOf({ zone: "z0", id: "1", faults, summary: "0 hosts up" });
  const green = verdictOf({ zone: "z1", id: "2", faults: [], summary: "1 hosts up" });
  expect([red.healthy, green.healthy, red.verdicts.map((one) => one.heals)]).toEqual([false, true, [false, true]]);
  const text = report([red, green]);
  expect(text).toMatch(/^zone z0: red\n {2}host h11 \(10\.91\.0\.11\) is Alert\n {4}remedy: see its agent/);
  expect(text).toContain("no console proxy is Running (seen: none) (may heal by itself)");
  expect(text).toMatch(/\nzone z1: healthy, 1 hosts up\n$/);
});
