import { expect, test } from "@jest/globals";
import { owner } from "../../runner/examine/cobbler.ts";
import { judgeDriver } from "../../runner/examine/driver.ts";
import type { DriverLook } from "../../runner/examine/driver-facts.ts";
import { atLeast, examine } from "../../runner/examine/examined.ts";
import { newEnough, roomText } from "../../runner/examine/tools.ts";

const site = {
  hostsDirectory: "/srv/hosts.d",
  dhcpHostsDirectory: "/srv/dhcp.d",
  pidFile: "/run/dnsmasq.pid",
  address: "10.0.0.1",
  dhcp: "dnsmasq" as const,
  dns: "dnsmasq" as const,
};
const healthy = {
  dnsmasq_version: "2.90",
  dnsmasq_program: "dnsmasq",
  configuration: "/etc/dnsmasq.conf",
  hosts: "writable",
  hosts_known: "/etc/dnsmasq.conf",
  dhcp: "writable",
  dhcp_known: "/etc/dnsmasq.d/testbed.conf",
  template: "/etc/cobbler/dnsmasq.template",
  template_hosts: "yes",
  "room_/": "20000",
};
const look = (facts: Record<string, string>, clock = { ahead: 0.1, uncertain: 0.01 }): DriverLook => ({
  facts: { ...healthy, ...facts },
  clock,
});
const wrongs = async (seen: DriverLook, more: Partial<Parameters<typeof judgeDriver>[1]> = {}) =>
  (await judgeDriver(seen, { ...site, ...more })).filter((one) => one.wrong !== undefined);

test("a healthy driver has nothing wrong, and everything that was looked at is listed", async () => {
  const all = await judgeDriver(look({}), site);
  expect(all.filter((one) => one.wrong !== undefined)).toEqual([]);
  expect(all.map((one) => one.what)).toEqual([
    "clocks of the driver and this machine",
    "dnsmasq's version",
    "dnsmasq's pid file /run/dnsmasq.pid",
    "dnsmasq's hostsdir /srv/hosts.d",
    "dnsmasq's dhcp-hostsdir /srv/dhcp.d",
    "room in / of the driver",
  ]);
});

test.each([
  ["a folder that does not exist", { hosts: "absent" }, "does not exist", "mkdir /srv/hosts.d"],
  ["a folder that cannot be written", { dhcp: "read-only" }, "cannot be written", "driver.ssh"],
  ["a folder that dnsmasq does not read", { dhcp_known: "" }, "is not in dnsmasq's configuration", "dhcp-hostsdir=/srv/dhcp.d"],
  ["a folder of which nothing is known", { hosts: "" }, "could not be looked at", "POSIX"],
  ["a pid file that names nothing", { dnsmasq_program: "" }, "names no running process", "SIGHUP"],
  ["a pid file that names another process", { dnsmasq_program: "sshd" }, "names a process sshd", "SIGHUP"],
  ["an old dnsmasq", { dnsmasq_version: "2.80" }, "needed is 2.85", "install dnsmasq"],
  ["a dnsmasq that is not there", { dnsmasq_version: "" }, "its version is unknown", "install dnsmasq"],
  ["a full disk", { "room_/": "12" }, "12 MB free; needed are 500 MB", "make room"],
])("%s is told with its remedy", async (_, facts, wrong, remedy) => {
  const [first, ...more] = await wrongs(look(facts));
  expect(more).toEqual([]);
  expect(first?.wrong).toContain(wrong);
  expect(first?.remedy).toContain(remedy);
});

test.each([
  [3, 0.1, "ahead"],
  [-3, 0.1, "behind"],
])("a clock that is %d s off is told", async (ahead, uncertain, word) => {
  const [first] = await wrongs(look({}, { ahead, uncertain }));
  expect(first?.wrong).toContain(`3.00 s ${word}`);
});

test("a difference of clocks that the slow answer alone can explain is no fault", async () => {
  expect(await wrongs(look({}, { ahead: 4, uncertain: 2.5 }))).toEqual([]);
});

test.each([
  ["cannot be read", { template: "" }],
  ["does not name /srv/hosts.d", { template_hosts: "" }],
])("where cobbler serves DHCP, its template is looked at: %s", async (wrong, facts) => {
  const [first] = await wrongs(look(facts), { dhcp: "cobbler" });
  expect(first?.wrong).toContain(wrong);
  expect(await wrongs(look(facts))).toEqual([]);
});

test.each([
  [true, "cobbler", undefined],
  [false, "dnsmasq", undefined],
  [1, "cobbler", undefined],
  [true, "dnsmasq", "manage_dhcp is on"],
  [false, "cobbler", "manage_dhcp is off"],
  [undefined, "cobbler", "manage_dhcp is off"],
] as const)("cobbler's setting %j beside the inventory's %s", (seen, wanted, wrong) => {
  const one = owner("DHCP", "manage_dhcp", seen, wanted);
  if (wrong === undefined) expect(one.wrong).toBeUndefined();
  else expect(one.wrong).toContain(wrong);
});

test.each([
  ["v3.259.0", "3.259.0", true],
  ["ipmitool version 1.8.19", "1.8.18", true],
  ["24.21.0", "24", true],
  ["3.258.9", "3.259.0", false],
  ["3.60.0", "3.259.0", false],
  ["", "1", false],
])("version %j is at least %s: %s", (version, least, enough) => {
  expect(atLeast(version, least)).toBe(enough);
  if (enough) expect(newEnough(version, least)).toBe(version);
  else expect(() => newEnough(version, least)).toThrow(`needed is ${least}`);
});

test("room that is too little is refused, with how much there is", () => {
  expect(roomText(501.7)).toBe("501 MB free");
  expect(() => roomText(499.9)).toThrow("499 MB free; needed are 500 MB");
});

test("a question that fails is its own finding, not the end of the others", async () => {
  const all = await Promise.all([
    examine("a", "mend a", () => Promise.reject(new Error("no answer"))),
    examine("b", "mend b", async () => "fine"),
  ]);
  expect(all).toEqual([
    { what: "a", wrong: "no answer", remedy: "mend a" },
    { what: "b", seen: "fine" },
  ]);
});
