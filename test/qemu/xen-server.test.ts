// A VM of the lab's XenServer with emulated firmware: what its boot order, its power button and a lab that was stopped really do.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Lab, labExecArguments, labStatus, startLab, stopLab } from "../../lab/index.ts";

const checkout = join(import.meta.dirname, "../..");
const rowMilliseconds = 420_000;
let lab: Lab;

beforeAll(async () => {
  lab = { checkout, state: mkdtempSync(join(tmpdir(), "testbed-xen-")), site: "lab" };
  await startLab(lab, { machines: "qemu", hostCount: 1 });
}, rowMilliseconds);

afterAll(async () => {
  await stopLab(lab);
  rmSync(lab.state, { recursive: true });
});

function life(step: string): { phases: string[]; token: string } {
  const command = [process.execPath, join(checkout, "test/support/vm-life.ts"), step, join(lab.state, "vm.json")];
  const [program, ...args] = labExecArguments(lab, checkout, command) as [string, ...string[]];
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: rowMilliseconds });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

const consoleText = () => readFileSync(join(lab.state, "log/console-management.log"), "latin1");
const management = async () => (await labStatus(lab)).xenServer.virtualMachines.find((one) => one.name === "management");

test(
  "it is installed over its network card, sent to its disk by cobbler, hears its power button, and comes back with the lab",
  async () => {
    const { phases, token } = life("up");
    expect(phases.at(-1)).toContain("SSH ok");
    expect(await management()).toMatchObject({ power: "Running", runs: "disk system up", installed: { generation: "1" } });
    // iPXE twice: the order is network first each time, and the second boot script sends it on.
    expect(consoleText().split("iPXE initialising devices").length - 1).toBe(2);
    expect(consoleText()).toContain("SYSLINUX");

    const restarted = life("restart");
    expect(restarted.phases).toContain("shutting down to change memory");
    expect(restarted.token).toBe(token);

    await stopLab(lab);
    await startLab(lab);
    expect(await management()).toMatchObject({ power: "Running", runs: "disk system up", installed: { generation: "1" } });
  },
  rowMilliseconds,
);
