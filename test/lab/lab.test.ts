// The embedded lab from outside: start, ways in, crash, stop.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Lab, labCommand, labExecArguments, labStatus, startLab, stopLab } from "../../lab/index.ts";
import { waitUntil } from "../support/wait-until.ts";

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

const ask = (...words: string[]) =>
  inside("ipmitool", "-I", "lanplus", "-C", "3", "-N", "1", "-R", "1", "-H", "10.91.1.11", "-U", "lab", "-P", "labpass", ...words);
const fault = async (...words: string[]) => {
  const reply = await labCommand(lab, ["fault", ...words]);
  if (!reply.ok) throw new Error(reply.error);
};
/** Status and seconds of one call of cobblerd through the driver's web service. */
function cobblerVersion(): { status: number; seconds: number } {
  const program = `
    const body = "<methodCall><methodName>version</methodName></methodCall>";
    const began = performance.now();
    const { status } = await fetch("http://10.91.0.1/cobbler_api", { method: "POST", headers: { "content-type": "text/xml" }, body });
    console.log(JSON.stringify({ status, seconds: (performance.now() - began) / 1000 }));`;
  return JSON.parse(inside(process.execPath, "--input-type=module", "-e", program).stdout) as { status: number; seconds: number };
}

describe("faults", () => {
  afterEach(async () => {
    for (const name of ["h11", "cobblerd", "dnsmasq", "nfs"]) await fault(name, "clear");
  });

  test("a deaf BMC does not answer, and answers again when that is cleared", async () => {
    await fault("h11", "deaf");
    expect(ask("chassis", "power", "status").status).not.toBe(0);
    await fault("h11", "clear");
    expect(ask("chassis", "power", "status").stdout).toContain("off");
  });

  test("a BMC with another password refuses the known one", async () => {
    await fault("h11", "wrong-password");
    expect(ask("-v", "chassis", "power", "status").stderr).toContain("HMAC is invalid");
  });

  test("a BMC that forgets takes the boot device and does not keep it", async () => {
    await fault("h11", "forgets-boot-device");
    expect(ask("chassis", "bootdev", "pxe").stdout).toContain("Set Boot Device to pxe");
    expect((await labStatus(lab)).hosts[0]?.bootDevice).toBe("none");
  });

  test("a machine that stays on ignores off, and is off when asked again after clear", async () => {
    ask("chassis", "power", "on");
    await fault("h11", "stays-on");
    ask("chassis", "power", "off");
    expect((await labStatus(lab)).hosts[0]?.power).toBe("on");
    await fault("h11", "clear");
    ask("chassis", "power", "off");
    expect((await labStatus(lab)).hosts[0]?.power).toBe("off");
  });

  test("a killed cobblerd is refused by its proxy, and comes back with clear", async () => {
    await fault("cobblerd", "killed");
    expect(cobblerVersion().status).toBe(503);
    await fault("cobblerd", "clear");
    expect(cobblerVersion().status).toBe(200);
  });

  test("a slow cobblerd takes the seconds it was told", async () => {
    await fault("cobblerd", "slow", "1");
    expect(cobblerVersion().seconds).toBeGreaterThanOrEqual(1);
  });

  test("a cobblerd that restarts after a call answers it, and is another process afterwards", async () => {
    const pid = () => inside("sh", "-c", "ss -Hlntp sport = 25151 | grep -o pid=[0-9]*").stdout.trim();
    const before = pid();
    await fault("cobblerd", "restarts");
    expect(cobblerVersion().status).toBe(200);
    await fault("cobblerd", "clear");
    expect(pid()).not.toBe(before);
  });

  test("a killed NFS server serves nothing, and has its exports again with clear", async () => {
    const exported = () => inside("nfs-ls", "nfs://10.91.0.1/srv/nfs/?version=4");
    inside("mkdir", "-p", "/srv/nfs/primary");
    expect(exported().stdout).toMatch(/ primary$/m);
    await fault("nfs", "killed");
    expect(exported().status).not.toBe(0);
    await fault("nfs", "clear");
    expect(exported().stdout).toMatch(/ primary$/m);
  });

  test("a disk of stores that is not mounted is an empty directory, and is the disk again with clear", async () => {
    inside("mkdir", "-p", "/srv/nfs/primary");
    await fault("nfs", "not-mounted");
    expect(inside("ls", "/srv/nfs").stdout).toBe("");
    await fault("nfs", "clear");
    expect(inside("ls", "/srv/nfs").stdout).toBe("primary\n");
  });

  test("a fault of stores outside the roots is refused", async () => {
    const reply = await labCommand(lab, ["fault", "nfs", "stale-marker", "/etc"]);
    expect(reply).toEqual({ ok: false, error: expect.stringContaining("/etc is not below /srv/nfs") });
  });

  test("a full disk takes no new entry and keeps the old ones", async () => {
    inside("sh", "-c", "echo 10.91.0.99 kept >/srv/testbed/hosts.d/kept");
    await fault("dnsmasq", "disk-full");
    expect(inside("cp", "/etc/passwd", "/srv/testbed/hosts.d/new").stderr).toContain("No space left");
    expect(inside("cat", "/srv/testbed/hosts.d/kept").stdout).toContain("kept");
    await fault("dnsmasq", "clear");
    expect(inside("sh", "-c", "echo 10.91.0.98 new >/srv/testbed/hosts.d/new").status).toBe(0);
    inside("rm", "/srv/testbed/hosts.d/kept", "/srv/testbed/hosts.d/new");
  });
});

test("a lab keeps what it was first started as: other hosts, fewer hosts or another site are refused", async () => {
  await expect(startLab(lab, { machines: "qemu" })).rejects.toThrow("was started with machines light, not qemu");
  await expect(startLab(lab, { hostCount: 2 })).rejects.toThrow("was started with hostCount of the whole site, not 2");
  await expect(startLab({ ...lab, site: "acs-qa" })).rejects.toThrow("was started with site lab, not acs-qa");
});

test("a lab with more hosts than its site has is refused with what there is", async () => {
  const other = { ...lab, state: mkdtempSync(join(tmpdir(), "testbed-lab-")) };
  await expect(startLab(other, { machines: "light", hostCount: 5 })).rejects.toThrow("has 4 machines with a BMC; the lab cannot play 5");
  rmSync(other.state, { recursive: true });
});

test("only the lab's first hosts are played when asked for", async () => {
  const other = { ...lab, state: mkdtempSync(join(tmpdir(), "testbed-lab-")) };
  await startLab(other, { machines: "light", hostCount: 2 });
  expect((await labStatus(other)).hosts.map((host) => host.name)).toEqual(["h11", "h12"]);
  await stopLab(other);
  rmSync(other.state, { recursive: true });
});

test("after the supervisor is killed the next start brings it back with cobbler's objects", async () => {
  inside("sh", "-c", "echo kept >/var/lib/cobbler/kept");
  const holder = JSON.parse(readFileSync(join(lab.state, "holder.json"), "utf8")) as { pid: number };
  process.kill(holder.pid, "SIGKILL");
  await waitUntil("the holder to be gone", () => !existsSync(`/proc/${holder.pid}`));
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
