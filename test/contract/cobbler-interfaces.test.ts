// Systems with several interfaces, bonds and bridges on the real cobblerd of the lab.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { system } from "../../providers/cobbler/index.ts";
import { aSystem, makeObjects, nic, removeObjects, server } from "../support/cobbler-objects.ts";
import { byHand } from "../support/cobblerd.ts";
import { apply, drop, failure, observed } from "../support/context.ts";

let hand: Awaited<ReturnType<typeof byHand>>;
const bare = { ...nic, mac: "", address: "", netmask: "", dnsName: "" };
const eth0 = nic;
const eth1 = { ...nic, name: "eth1", mac: "52:54:00:91:99:11", address: "10.91.0.211", dnsName: "c1-storage.lab.test" };
const slave0 = { ...bare, name: "eth0", mac: nic.mac, type: "bond_slave" as const, master: "bond0" };
const slave1 = { ...slave0, name: "eth1", mac: eth1.mac };
const bond0 = { ...nic, name: "bond0", mac: "", type: "bond" as const, bondingOptions: "mode=active-backup miimon=100" };
const bonded = [slave0, slave1, bond0];
const bridged = [
  slave0,
  slave1,
  { ...bare, name: "bond0", type: "bonded_bridge_slave" as const, master: "br0", bondingOptions: "mode=4" },
  { ...nic, name: "br0", mac: "", type: "bridge" as const, bridgeOptions: "stp=no" },
];
const withInterfaces = (interfaces: (typeof nic | (typeof bonded)[number] | (typeof bridged)[number])[]) => ({ ...aSystem, interfaces });
const there = async () =>
  ((await hand.call("get_system", aSystem.name)) as { interfaces: Record<string, Record<string, unknown>> }).interfaces;

beforeAll(async () => {
  hand = await byHand(server.url);
  await makeObjects();
});
afterEach(async () => void (await apply(system, aSystem)));
afterAll(removeObjects);

describe.each([
  ["two interfaces", [eth0, eth1]],
  ["a bond over two", bonded],
  ["a bridge over a bond over two", bridged],
])("%s", (_, interfaces) => {
  test("are written, read back without drift, and written once", async () => {
    const given = withInterfaces(interfaces);
    expect((await apply(system, given)).phases).toHaveLength(1);
    expect((await observed(system, given))?.interfaces).toEqual(interfaces);
    expect((await apply(system, given)).phases).toEqual([]);
  });

  test("are made with a new system in one save", async () => {
    await drop(system, aSystem);
    const given = withInterfaces(interfaces);
    expect((await apply(system, given)).phases).toEqual(["creating"]);
    expect((await observed(system, given))?.interfaces).toEqual(interfaces);
  });

  test("are taken back to one", async () => {
    await apply(system, withInterfaces(interfaces));
    await apply(system, aSystem);
    expect(Object.keys(await there())).toEqual(["eth0"]);
    expect((await observed(system, aSystem))?.interfaces).toEqual([nic]);
  });
});

test("a bond has cobbler's own types and fields on the server", async () => {
  await apply(system, withInterfaces(bonded));
  const { eth0: member, bond0: master } = await there();
  expect(member).toMatchObject({
    interface_type: "bond_slave",
    interface_master: "bond0",
    mac_address: nic.mac,
    ip_address: "",
    static: false,
  });
  expect(master).toMatchObject({
    interface_type: "bond",
    bonding_opts: "mode=active-backup miimon=100",
    ip_address: nic.address,
    static: true,
  });
});

test.each([
  ["type", { "interfacetype-eth1": "na" }],
  ["master", { "interfacemaster-eth1": "bond9" }],
  ["bonding options", { "bondingopts-bond0": "mode=0" }],
  ["static flag", { "static-bond0": false }],
])("a %s changed by hand is mended", async (_, change) => {
  await apply(system, withInterfaces(bonded));
  await hand.edit("system", aSystem.name, { modify_interface: change });
  expect((await apply(system, withInterfaces(bonded))).phases).toEqual(["changing modify_interface"]);
  expect((await observed(system, withInterfaces(bonded)))?.interfaces).toEqual(bonded);
  expect((await there()).bond0).toMatchObject({ static: true });
});

test("an interface added by hand is seen and removed, the wanted one stays", async () => {
  const change = { "macaddress-eth7": "52:54:00:91:99:07", "ipaddress-eth7": "10.91.0.207" };
  await hand.edit("system", aSystem.name, { modify_interface: change });
  expect((await observed(system, aSystem))?.interfaces?.map((one) => one.name)).toEqual(["eth0", "eth7"]);
  expect((await apply(system, aSystem)).phases).toEqual(["changing delete_interface"]);
  expect((await observed(system, aSystem))?.interfaces).toEqual([nic]);
});

test("an interface removed by hand is made anew", async () => {
  const given = withInterfaces([eth0, eth1]);
  await apply(system, given);
  await hand.edit("system", aSystem.name, { delete_interface: "eth1" });
  expect((await observed(system, given))?.interfaces).toEqual([eth0]);
  await apply(system, given);
  expect((await observed(system, given))?.interfaces).toEqual([eth0, eth1]);
});

describe("addresses that change places", () => {
  const swapped = withInterfaces([
    { ...eth0, mac: eth1.mac, address: eth1.address, dnsName: eth1.dnsName },
    { ...eth1, mac: eth0.mac, address: eth0.address, dnsName: eth0.dnsName },
  ]);

  test("are written in one save", async () => {
    await apply(system, withInterfaces([eth0, eth1]));
    expect((await apply(system, swapped)).phases).toHaveLength(1);
    expect((await observed(system, swapped))?.interfaces).toEqual(swapped.interfaces);
  });

  test("are still known to cobbler as taken", async () => {
    await apply(system, withInterfaces([eth0, eth1]));
    await apply(system, swapped);
    for (const value of [eth0.mac, eth1.mac]) expect(await hand.call("find_system", { mac_address: value })).toEqual([aSystem.name]);
    const error = await failure(
      apply(system, {
        ...aSystem,
        name: "contract-c2",
        hostname: "c2.lab.test",
        interfaces: [{ ...eth1, address: "10.91.0.213", dnsName: "c2.lab.test" }],
      }),
    );
    expect(error.code).toBe("duplicate");
  });
});
