// The embedded lab from outside: start, ways in, crash, stop.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Lab, labCommand, labExecArguments, labStatus, startLab, stopLab } from "../../lab/index.ts";

const checkout = join(import.meta.dirname, "../..");
let lab: Lab;

beforeAll(async () => {
  lab = { checkout, state: mkdtempSync(join(tmpdir(), "testbed-lab-")), site: "lab" };
  await startLab(lab, { machines: "light" });
});

afterAll(async () => {
  await stopLab(lab);
  rmSync(lab.state, { recursive: true });
});

function inside(...command: string[]) {
  const [program, ...args] = labExecArguments(lab, checkout, command) as [string, ...string[]];
  return spawnSync(program, args, { encoding: "utf8" });
}

const processes = () =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(lab.state));

test("every daemon runs and every host is off", async () => {
  const status = await labStatus(lab);
  expect(new Set(Object.values(status.daemons))).toEqual(new Set(["running"]));
  expect(status.hosts.map((host) => `${host.name} ${host.power}`)).toEqual(["h11 off", "h12 off", "h13 off", "h14 off"]);
});

test("starting it again changes nothing", async () => {
  expect(await startLab(lab, { machines: "light" })).toBe("running");
});

test("a command inside keeps its working directory and its exit status", () => {
  expect(inside("pwd").stdout.trim()).toBe(checkout);
  expect(inside("sh", "-c", "exit 7").status).toBe(7);
});

test("the driver's name resolves inside", () => {
  expect(inside("getent", "hosts", "driver.lab.test").stdout).toContain("10.91.0.1");
});

test("a BMC reports the power of its host and refuses a wrong password", () => {
  const ask = (password: string) =>
    inside("ipmitool", "-I", "lanplus", "-C", "3", "-H", "10.91.1.11", "-U", "lab", "-P", password, "chassis", "power", "status");
  expect(ask("labpass").stdout).toContain("Chassis Power is off");
  expect(ask("wrong").status).not.toBe(0);
});

test("the machine's own files are not below the state folder inside, where a reset would delete them", () => {
  const mounts = inside("cat", "/proc/self/mounts")
    .stdout.split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  expect(mounts.filter((place) => place.startsWith(`${lab.state}/scratch`))).toEqual([]);
});

test("a lab that lost a daemon is started anew", async () => {
  const before = (await labStatus(lab)).daemons;
  const pid = execFileSync("pgrep", ["-f", `${lab.state}/scratch/bmc/h11/lan.conf`], { encoding: "utf8" }).trim();
  process.kill(Number(pid), "SIGKILL");
  while ((await labStatus(lab)).daemons["bmc-h11"] === "running") await new Promise((resolve) => setImmediate(resolve));
  expect(await startLab(lab, { machines: "light" })).toBe("started");
  expect((await labStatus(lab)).daemons).toEqual(before);
});

test("the lab's addresses do not exist outside", () => {
  expect(readFileSync("/proc/net/fib_trie", "utf8")).not.toContain("10.91.0.1");
});

test.each([
  [["fault", "h99", "stays-on"], "no host or daemon h99"],
  [["fault", "h11", "explodes"], "no fault explodes"],
  [["dance"], "unknown command dance"],
])("%p is refused with what there is", async (words, text) => {
  const reply = await labCommand(lab, words);
  expect(reply).toEqual({ ok: false, error: expect.stringContaining(text) });
});

test("after the supervisor is killed the next start brings it back with cobbler's objects", async () => {
  inside("sh", "-c", "echo kept >/var/lib/cobbler/kept");
  const holder = JSON.parse(readFileSync(join(lab.state, "holder.json"), "utf8")) as { pid: number };
  process.kill(holder.pid, "SIGKILL");
  expect(await startLab(lab, { machines: "light" })).toBe("started");
  expect(inside("cat", "/var/lib/cobbler/kept").stdout).toBe("kept\n");
});

test("stop leaves no process and no mount, and stopping again says so", async () => {
  expect(await stopLab(lab)).toBe("stopped");
  expect(processes()).toEqual([]);
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain(lab.state);
  expect(await stopLab(lab)).toBe("not running");
  expect(() => labExecArguments(lab, checkout, ["true"])).toThrow("testbed lab start");
});
