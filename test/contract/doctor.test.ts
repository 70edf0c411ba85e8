// `testbed doctor` against the driver of the lab: what it sees, what it says of a folder that is gone, and that it changes nothing.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const checkout = join(import.meta.dirname, "../..");
const home = mkdtempSync(join(tmpdir(), "doctor-contract-"));
const doctor = () => {
  const { STACK: _stack, NODE_OPTIONS: _options, ...rest } = process.env;
  const environment = { ...rest, PULUMI_BACKEND_URL: `file://${home}/state`, PULUMI_HOME: `${home}/home` };
  const { status, stdout } = spawnSync(join(checkout, "cli/testbed.sh"), ["doctor", "--stack", "kvm", "--json"], {
    encoding: "utf8",
    env: environment,
    timeout: 100_000,
  });
  const { examined } = JSON.parse(stdout) as { examined: { what: string; seen?: string; wrong?: string; remedy?: string }[] };
  return { status, examined, stdout };
};

beforeAll(() => void mkdirSync(`${home}/state`));
afterAll(() => rmSync(home, { recursive: true }));

test("everything of the lab's driver and every BMC is looked at, and no secret is shown", () => {
  const { status, examined, stdout } = doctor();
  expect(examined.filter((one) => one.wrong !== undefined)).toEqual([]);
  expect(status).toBe(0);
  const names = examined.map((one) => one.what).join("\n");
  for (const part of ["pulumi", "ipmitool", "clocks", "hostsdir", "dhcp-hostsdir", "who serves DHCP", "BMC of h14", "room in /srv"])
    expect(names).toContain(part);
  for (const secret of ["lab-cobbler", "labpass", "PRIVATE KEY"]) expect(stdout).not.toContain(secret);
});

test("a folder of dnsmasq that is gone is told with its remedy, and not made", () => {
  renameSync("/srv/testbed/dhcp.d", "/srv/testbed/away");
  try {
    const { status, examined } = doctor();
    expect(status).toBe(3);
    expect(examined.filter((one) => one.wrong !== undefined)).toEqual([
      expect.objectContaining({ wrong: "does not exist", remedy: expect.stringContaining("mkdir /srv/testbed/dhcp.d") }),
    ]);
    expect(readdirSync("/srv/testbed")).not.toContain("dhcp.d");
  } finally {
    renameSync("/srv/testbed/away", "/srv/testbed/dhcp.d");
  }
});
