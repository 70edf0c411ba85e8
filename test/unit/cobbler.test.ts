// What cobbler's resources decide without a server: inputs refused at preview, replacement, the meaning of faults.
import { describe, expect, test } from "@jest/globals";
import { classifyFault } from "../../providers/cobbler/faults.ts";
import { connectionSchema, distro, profile, repo, snippet, sync, system, template } from "../../providers/cobbler/index.ts";
import { kickstartFaults, kickstartVersion } from "../../providers/cobbler/kickstart.ts";
import { changedReplacements, checkInputs } from "../../providers/kernel/check.ts";
import type { Definition } from "../../providers/kernel/index.ts";

const general = (definition: unknown) => definition as Definition;
const server = { url: "http://driver/cobbler_api", credential: "cobbler" };

describe("another server", () => {
  test.each([
    ["distro", distro],
    ["profile", profile],
    ["system", system],
    ["repo", repo],
    ["template", template],
    ["snippet", snippet],
    ["sync", sync],
  ])("replaces a %s", (_, definition) => {
    const moved = { server: { ...server, url: "http://other/cobbler_api" } };
    expect(changedReplacements(general(definition), { server }, moved)).toEqual(["server"]);
  });

  test("under a new credential or certificate is still the same server", () => {
    const renewed = { server: { ...server, credential: "other", tlsFingerprint: "ab".repeat(32) } };
    expect(changedReplacements(general(system), { server }, renewed)).toEqual([]);
  });

  test("with a new name as well is one replacement of both", () => {
    const moved = { name: "b", server: { ...server, url: "http://other/" } };
    expect(changedReplacements(general(system), { name: "a", server }, moved)).toEqual(["server", "name"]);
  });
});

const nic = (more: Record<string, string>) => ({ mac: "", address: "", netmask: "", dnsName: "", ...more });
const eth0 = nic({ name: "eth0", mac: "52:54:00:91:99:01", address: "10.91.0.201", netmask: "255.255.255.0", dnsName: "c1.lab.test" });
const eth1 = nic({ name: "eth1", mac: "52:54:00:91:99:02" });
const slave0 = { ...eth1, name: "eth0", mac: "52:54:00:91:99:01", type: "bond_slave", master: "bond0" };
const slave1 = { ...eth1, type: "bond_slave", master: "bond0" };
const bond0 = nic({
  name: "bond0",
  type: "bond",
  bondingOptions: "mode=active-backup miimon=100",
  address: "10.91.0.201",
  netmask: "255.255.255.0",
});
const aSystem = { server, name: "c1", profile: "p", hostname: "c1.lab.test", gateway: "10.91.0.1" };
const faultsOf = (interfaces: unknown) => checkInputs(general(system), { ...aSystem, interfaces }).failures;

describe("interfaces", () => {
  test.each([
    ["one", [eth0]],
    ["two", [eth0, eth1]],
    ["a bond with two members", [slave0, slave1, bond0]],
    [
      "a bridge over one",
      [{ ...eth1, type: "bridge_slave", master: "br0" }, nic({ name: "br0", type: "bridge", bridgeOptions: "stp=no" })],
    ],
    [
      "a bridge over a bond",
      [
        slave0,
        slave1,
        nic({ name: "bond0", type: "bonded_bridge_slave", master: "br0", bondingOptions: "mode=4" }),
        nic({ name: "br0", type: "bridge", address: "10.91.0.201", netmask: "255.255.255.0" }),
      ],
    ],
  ])("%s is accepted", (_, interfaces) => {
    expect(faultsOf(interfaces)).toEqual([]);
  });

  test.each<[string, unknown, string, string]>([
    ["none", [], "interfaces", ">=1"],
    ["a MAC twice", [eth0, { ...eth1, mac: eth0.mac }], "interfaces.1.mac", "that of the interface eth0"],
    [
      "an address twice",
      [eth0, { ...eth0, name: "eth1", mac: eth1.mac, dnsName: "" }],
      "interfaces.1.address",
      "that of the interface eth0",
    ],
    ["a DNS name twice", [eth0, { ...eth1, dnsName: eth0.dnsName }], "interfaces.1.dnsName", "that of the interface eth0"],
    ["a name twice", [eth0, { ...eth1, name: "eth0" }], "interfaces.1.name", "that of the interface eth0"],
    ["a MAC in capitals", [{ ...eth0, mac: "52:54:00:91:99:AB" }], "interfaces.0.mac", "lower-case"],
    ["no MAC", [{ ...eth0, mac: "" }], "interfaces.0.mac", "is needed"],
    ["an address without a netmask", [{ ...eth0, netmask: "" }], "interfaces.0.netmask", "together"],
    ["an address that is none", [{ ...eth0, address: "10.91.0.256" }], "interfaces.0.address", "IPv4"],
    ["a member without a master", [eth0, { ...eth1, type: "bond_slave" }], "interfaces.1.master", "must name an interface"],
    ["a member of an unknown master", [eth0, { ...slave1, master: "bond7" }], "interfaces.1.master", '"bond7" is none'],
    ["a member of an ordinary interface", [eth0, { ...slave1, master: "eth0" }], "interfaces.1.master", "must be of type bond"],
    ["a master of an ordinary interface", [eth0, { ...eth1, master: "eth0" }], "interfaces.1.master", "only a member has a master"],
    ["a bond without members", [eth0, { ...bond0, address: "", netmask: "" }], "interfaces.1.type", "at least one bond_slave"],
    [
      "a member with an address",
      [{ ...slave0, address: "10.91.0.9", netmask: "255.255.255.0" }, slave1, bond0],
      "interfaces.0.address",
      "to the master",
    ],
    ["bonding options of no bond", [{ ...eth0, bondingOptions: "mode=4" }], "interfaces.0.bondingOptions", "belong to a bond"],
    ["bridge options of no bridge", [{ ...eth0, bridgeOptions: "stp=no" }], "interfaces.0.bridgeOptions", "belong to a bridge"],
    ["an unknown type", [{ ...eth0, type: "team" }], "interfaces.0.type", "bond"],
    ["an unknown field", [{ ...eth0, vlan: "7" }], "interfaces.0", "vlan"],
    ["nothing to boot from", [nic({ name: "br0", type: "bridge" })], "interfaces", "no interface has a MAC"],
  ])("%s is refused at its place", (_, interfaces, property, reason) => {
    const found = faultsOf(interfaces).find((fault) => fault.property === property);
    expect(found?.reason).toContain(reason);
  });
});

describe("a connection", () => {
  test.each([
    ["not an address", { url: "driver" }, "http"],
    ["another protocol", { url: "ftp://driver/" }, "http"],
    ["a fingerprint of another hash", { url: "https://driver/", tlsFingerprint: "ab".repeat(20) }, "32 hexadecimal bytes"],
    ["a fingerprint without TLS", { url: "http://driver/", tlsFingerprint: "ab".repeat(32) }, "https"],
    ["no time at all", { url: "http://driver/", timeoutSeconds: 0 }, ">0"],
  ])("with %s is refused", (_, connection, reason) => {
    const result = connectionSchema.safeParse(connection);
    expect(result.error?.issues.map((issue) => issue.message).join()).toContain(reason);
  });

  test("takes a fingerprint as openssl prints it", () => {
    const tlsFingerprint = Array.from({ length: 32 }, () => "AB").join(":");
    expect(connectionSchema.parse({ url: "https://driver/", tlsFingerprint })).toMatchObject({ tlsFingerprint, credential: "cobbler" });
  });
});

test.each(["../etc/passwd", "/absolute", "a//b", "a/..", ".hidden", "with space", ""])("the snippet name %j is refused", (name) => {
  const { failures } = checkInputs(general(snippet), { server, name, source: "s", sha256: "0".repeat(64) });
  expect(failures.map((failure) => failure.property)).toContain("name");
});

describe("a fault", () => {
  const CX = "<class 'cobbler.cexceptions.CX'>:";
  test.each([
    [`${CX}'invalid token: abcdefghijklmnopqrstuvwxyz0123456789'`, "unreachable", "session-lost"],
    [`<class 'ValueError'>:"token" did not have the correct format or type!`, "unreachable", "session-lost"],
    [`<class 'KeyError'>:'___NEW___system::abc'`, "unreachable", "handle-lost"],
    [`${CX}'no event with that id'`, "refused", "task-lost"],
    [`<class 'OSError'>:[Errno 28] No space left on device`, "refused", "disk-full"],
    [`${CX}'login failed (cobbler)'`, "refused", "login-failed"],
    [`${CX}'authorization failure for user x'`, "refused", "not-authorised"],
    [`${CX}"unknown remote method 'X'"`, "refused", "unknown-method"],
    [`${CX}"An object already exists with that name. Try 'edit'?"`, "conflict", "exists"],
    [
      `<class 'ValueError'>:MAC address duplicate found "52:54:00:00:00:01". Object with the conflict has the name "h1"`,
      "conflict",
      "duplicate",
    ],
    [`${CX}'removal would orphan profile: P'`, "conflict", "in-use"],
    [`${CX}'attempt to delete in-use file'`, "conflict", "in-use"],
    [`<class 'ValueError'>:kernel not found or it does not match with allowed kernel filename pattern`, "invalid", "boot-file-missing"],
    [`<class 'ValueError'>:initrd not found`, "invalid", "boot-file-missing"],
    [`<class 'ValueError'>:distribution "D" not found`, "invalid", "missing"],
    [`<class 'ValueError'>:Profile with the name "P" is not existing`, "invalid", "missing"],
    [`${CX}'cannot delete an object that does not exist: r'`, "invalid", "missing"],
    [`${CX}'Error with system S - profile or image is required'`, "invalid", "incomplete"],
    [`${CX}'Cobbler trigger failed: cobbler.modules.sync_post_restart_services'`, "refused", "trigger-failed"],
    [`<class 'AttributeError'>:'str' object has no attribute 'copy'`, "refused", "cache-damaged"],
    [`<class 'TypeError'>:Repository priority must be of type int.`, "invalid", "bad-value"],
    [`<class 'RuntimeError'>:something never seen`, "refused", "fault"],
  ])("%s is %s with the code %s", (text, kind, code) => {
    expect(classifyFault(text)).toMatchObject({ kind, code });
  });

  test("loses the token that it quotes, the class of Python and the quotes", () => {
    expect(classifyFault(`${CX}'invalid token: secret-token-of-36-characters-abcdefg'`).text).toBe("invalid token");
  });
});

describe("a kickstart", () => {
  test.each([
    ["rhel8", "RHEL8"],
    ["rhel10", "RHEL10"],
    ["rocky9", "RHEL9"],
    ["fedora40", "F40"],
    ["ovz7", undefined],
    ["bookworm", undefined],
    ["", undefined],
  ])("of %j has the syntax %s", (osVersion, version) => {
    expect(kickstartVersion(osVersion)).toBe(version);
  });

  test("has its faults told one by one, without the arguments of a command", () => {
    const output = `
Checking kickstart file /tmp/x.ks

The following problem occurred on line 2 of the kickstart file:

install has been removed.

The following problem occurred on line 5 of the kickstart file:

Unexpected arguments to rootpw command: ['geheim']
`;
    expect(kickstartFaults(output)).toEqual(["line 2: install has been removed.", "line 5: Unexpected arguments to rootpw command: …"]);
  });
});
