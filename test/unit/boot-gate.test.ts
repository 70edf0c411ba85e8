// Where cobbler owns DHCP, a save while another machine loads its boot files by TFTP hangs that machine for good.
import { expect, test } from "@jest/globals";
import { BootGate } from "../../providers/installation/boot-gate.ts";
import { failure, ours, testContext } from "../support/context.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("no machine is armed while another loads its boot files", async () => {
  const gate = new BootGate("a");
  const loaded = await gate.start(testContext(), 10);
  const events: string[] = [];
  const armed = gate.arm(testContext(), 10, async () => void events.push("armed"));
  await turn();
  events.push("loaded");
  loaded();
  await armed;
  expect(events).toEqual(["loaded", "armed"]);
});

test("machines are armed one at a time", async () => {
  const gate = new BootGate("b");
  let running = 0;
  let most = 0;
  const save = async () => {
    most = Math.max(most, ++running);
    await turn();
    running--;
  };
  await Promise.all([1, 2, 3, 4].map(() => gate.arm(testContext(), 10, save)));
  expect(most).toBe(1);
});

test("a machine that is to be armed goes before one that is to be started", async () => {
  const gate = new BootGate("c");
  const events: string[] = [];
  const first = await gate.start(testContext(), 10);
  const arm = gate.arm(testContext(), 10, async () => void events.push("armed"));
  const start = gate.start(testContext(), 10).then((loaded) => {
    events.push("started");
    loaded();
  });
  first();
  await Promise.all([arm, start]);
  expect(events).toEqual(["armed", "started"]);
});

test("a save that fails lets the others go on", async () => {
  const gate = new BootGate("d");
  await expect(gate.arm(testContext(), 10, () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  const loaded = await gate.start(testContext(), 10);
  loaded();
  loaded();
  expect(await gate.arm(testContext(), 10, async () => "armed")).toBe("armed");
});

test("a machine that never ends its boot is waited for no longer than the limit, and that is told", async () => {
  const gate = new BootGate("e");
  await gate.start(testContext(), 10);
  const error = await failure(gate.arm(testContext(ours), 0.2, async () => "armed"));
  expect(error.kind).toBe("timeout");
  expect(error.message).toContain("1 machine(s) loading boot files");
});
