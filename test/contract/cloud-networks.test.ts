// Networks of a zone against the emulator: cloudstack:PhysicalNetwork, TrafficType, NetworkServiceProvider, VlanIpRange, GuestNetwork, NetworkDevice.

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  guestNetwork,
  networkDevice,
  networkServiceProvider,
  physicalNetwork,
  trafficType,
  vlanIpRange,
  zone,
} from "../../providers/cloudstack/index.ts";
import { zoneGiven } from "../support/cloud-objects.ts";
import { apiError } from "../support/cloud-proxy.ts";
import { failure } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();
const network = { zone: "z0", name: "pnet", isolationMethods: ["VLAN"], vlan: "100-200" };
const on = { zone: "z0", physicalNetwork: "pnet" };
const range = { zone: "z0", vlan: "50", gateway: "192.168.2.1", netmask: "255.255.255.0", startIp: "192.168.2.10", endIp: "192.168.2.99" };
const shared = {
  ...{ zone: "sg", name: "Shared SG enabled network", offering: "DefaultSharedNetworkOfferingWithSGService", vlan: "31" },
  ...{ startIp: "10.147.31.150", endIp: "10.147.31.159", gateway: "10.147.31.1", netmask: "255.255.255.0" },
};

interface Row {
  id: string;
  name: string;
  state: string;
}

beforeAll(async () => {
  await cloud.up(zone, zoneGiven("z0"));
  await cloud.up(physicalNetwork, network);
  await cloud.up(trafficType, { ...on, type: "Public" });
});

describe("a physical network", () => {
  const rows = async () =>
    (await cloud.client.list<Row>("listPhysicalNetworks", "physicalnetwork")).filter((one) => one.name !== "sg-pnet");

  test("is enabled, and found again without a state", async () => {
    expect(await rows()).toMatchObject([{ name: "pnet", state: "Enabled", vlan: "100-200", isolationmethods: "VLAN" }]);
    cloud.proxy.clear();
    await cloud.up(physicalNetwork, network);
    expect(cloud.proxy.changes).toEqual([]);
  });

  test.each([
    ["100-250", "wider"],
    ["100-150,300-310", "in two ranges"],
    ["300-310, 100-150", "written otherwise"],
    [undefined, "none"],
    ["100-200", "as before"],
  ])("gets its VLANs %s (%s)", async (vlan, _) => {
    const state = await cloud.up(physicalNetwork, { ...network, vlan });
    expect((await cloud.refresh(physicalNetwork, state))?.vlan).toBe(vlan);
  });

  test("that was disabled and whose VLANs were changed by hand is seen and mended", async () => {
    const state = await cloud.up(physicalNetwork, network);
    await cloud.client.changeAndWait("updatePhysicalNetwork", { id: state.id, state: "Disabled", vlan: "1000-1001" });
    expect(await cloud.refresh(physicalNetwork, state)).toMatchObject({ state: "Disabled", vlan: "1000-1001" });
    await cloud.up(physicalNetwork, network, state);
    expect(await rows()).toMatchObject([{ state: "Enabled", vlan: "100-200" }]);
  });

  test("of the same name in another zone is another one", async () => {
    const state = await cloud.up(zone, zoneGiven("z9"));
    const other = await cloud.up(physicalNetwork, { ...network, zone: "z9" });
    expect(other.id).not.toBe((await cloud.up(physicalNetwork, network)).id);
    await cloud.down(physicalNetwork, other);
    await cloud.down(physicalNetwork, other);
    await cloud.down(zone, state);
  });

  test("with VLANs that the server refuses keeps the job's own text", async () => {
    const error = await failure(cloud.up(physicalNetwork, { ...network, vlan: "200-100" }));
    expect(error.code).toMatch(/^431/);
    expect(error.message).toMatch(/updatePhysicalNetwork \(job .*\)/);
  });

  test("whose job fails without a word is an error all the same", async () => {
    const job = { status: 200, text: JSON.stringify({ queryasyncjobresultresponse: { jobid: "j", jobstatus: 2 } }) };
    cloud.proxy.spoil("queryAsyncJobResult", job);
    const error = await failure(cloud.up(physicalNetwork, { ...network, vlan: "100-300" }));
    expect(error).toMatchObject({ kind: "refused", code: "530" });
    await cloud.up(physicalNetwork, network);
  });

  test.each([
    ["two tags", { tags: ["a", "b"] }, /takes one/],
    ["VLANs that are none", { vlan: "many" }, /must be VLANs/],
    ["an unknown range of broadcasts", { broadcastDomainRange: "WORLD" }, /Invalid option/],
  ])("with %s is refused before anything is touched", (_, change, text) => {
    const result = physicalNetwork.inputs.safeParse({ server: cloud.server, ...network, ...change });
    expect(result.error?.message).toMatch(text);
  });
});

describe("a traffic type", () => {
  test("gets its labels, changes them in place, and loses them", async () => {
    const made = await cloud.up(trafficType, { ...on, type: "Guest", labels: { kvm: "cloudbr1", xen: "guest" } });
    expect(await cloud.refresh(trafficType, made)).toEqual({ labels: { kvm: "cloudbr1", xen: "guest" } });
    const changed = await cloud.up(trafficType, { ...on, type: "Guest", labels: { xen: "other" } }, made);
    expect(changed.id).toBe(made.id);
    expect(await cloud.refresh(trafficType, changed)).toEqual({ labels: { xen: "other" } });
    await cloud.down(trafficType, changed);
    expect(await cloud.refresh(trafficType, changed)).toBeUndefined();
    await cloud.down(trafficType, changed);
  });

  test("whose label was changed by hand is seen and mended", async () => {
    const state = await cloud.up(trafficType, { ...on, type: "Management", labels: { kvm: "cloudbr0" } });
    await cloud.client.changeAndWait("updateTrafficType", { id: state.id, kvmnetworklabel: "mistake" });
    expect(await cloud.refresh(trafficType, state)).toEqual({ labels: { kvm: "mistake" } });
    await cloud.up(trafficType, { ...on, type: "Management", labels: { kvm: "cloudbr0" } }, state);
    expect(await cloud.refresh(trafficType, state)).toEqual({ labels: { kvm: "cloudbr0" } });
  });

  test("of an absent physical network is an error that names it, and nothing to remove", async () => {
    const elsewhere = { zone: "z0", physicalNetwork: "nowhere", type: "Guest" as const };
    expect((await failure(cloud.up(trafficType, elsewhere))).message).toMatch(/physical network nowhere in z0/);
    const state = { ...trafficType.inputs.parse({ server: cloud.server, ...elsewhere }), id: "gone" };
    expect(await cloud.down(trafficType, state as never)).toEqual([]);
  });

  test("that the server refuses is an error", async () => {
    cloud.proxy.spoil("addTrafficType", apiError("addTrafficType", 530, 4250, "already in another physical network"));
    expect((await failure(cloud.up(trafficType, { ...on, type: "Storage" }))).message).toMatch(/another physical network/);
  });
});

describe("a network service provider", () => {
  const rows = (name: string) => cloud.client.list<Row>("listNetworkServiceProviders", "networkserviceprovider", { name });

  test.each(["VirtualRouter", "VpcVirtualRouter", "InternalLbVm", "SecurityGroupProvider"])(
    "%s is configured and enabled",
    async (name) => {
      const state = await cloud.up(networkServiceProvider, { ...on, name });
      expect(await rows(name)).toMatchObject([{ state: "Enabled" }]);
      cloud.proxy.clear();
      await cloud.up(networkServiceProvider, { ...on, name }, state);
      expect(cloud.proxy.changes).toEqual([]);
    },
  );

  test("that was disabled by hand is seen and enabled again; its removal leaves it disabled", async () => {
    const state = await cloud.up(networkServiceProvider, { ...on, name: "VirtualRouter" });
    await cloud.client.changeAndWait("updateNetworkServiceProvider", { id: state.id, state: "Disabled" });
    expect(await cloud.refresh(networkServiceProvider, state)).toEqual({ state: "Disabled" });
    await cloud.up(networkServiceProvider, { ...on, name: "VirtualRouter" }, state);
    expect(await rows("VirtualRouter")).toMatchObject([{ state: "Enabled" }]);
    await cloud.down(networkServiceProvider, state);
    expect(await rows("VirtualRouter")).toMatchObject([{ state: "Disabled" }]);
  });

  test("that the release does not know is an error", async () => {
    expect((await failure(cloud.up(networkServiceProvider, { ...on, name: "Frobnicator" }))).code).toMatch(/^(431|530)/);
  });

  test("whose element cannot be configured is not enabled", async () => {
    await cloud.down(networkServiceProvider, await cloud.up(networkServiceProvider, { ...on, name: "InternalLbVm" }));
    cloud.proxy.spoil("listInternalLoadBalancerElements", apiError("listInternalLoadBalancerElements", 530, 4250, "injected"));
    await failure(cloud.up(networkServiceProvider, { ...on, name: "InternalLbVm" }));
    expect(await rows("InternalLbVm")).toMatchObject([{ state: "Disabled" }]);
  });
});

describe("a range of public addresses", () => {
  test("is made, widened, narrowed and deleted", async () => {
    const made = await cloud.up(vlanIpRange, range);
    cloud.proxy.clear();
    await cloud.up(vlanIpRange, range);
    expect(cloud.proxy.changes).toEqual([]);
    const wider = await cloud.up(vlanIpRange, { ...range, startIp: "192.168.2.5", endIp: "192.168.2.150" }, made);
    expect(wider.id).toBe(made.id);
    expect(await cloud.refresh(vlanIpRange, wider)).toMatchObject({ startIp: "192.168.2.5", endIp: "192.168.2.150" });
    const narrower = await cloud.up(vlanIpRange, { ...range, endIp: "192.168.2.20" }, wider);
    expect(await cloud.refresh(vlanIpRange, narrower)).toMatchObject({ startIp: "192.168.2.10", endIp: "192.168.2.20" });
    await cloud.down(vlanIpRange, narrower);
    expect(await cloud.refresh(vlanIpRange, narrower)).toBeUndefined();
    await cloud.down(vlanIpRange, narrower);
  });

  test("that was widened while its state was lost is the same one", async () => {
    const made = await cloud.up(vlanIpRange, range);
    expect((await cloud.up(vlanIpRange, { ...range, startIp: "192.168.2.8" })).id).toBe(made.id);
    await cloud.down(vlanIpRange, made);
  });

  test("that overlaps another VLAN's is refused by the server", async () => {
    const made = await cloud.up(vlanIpRange, range);
    const error = await failure(cloud.up(vlanIpRange, { ...range, vlan: "51" }));
    expect(error).toMatchObject({ kind: "invalid" });
    await cloud.down(vlanIpRange, made);
  });

  test.each([
    ["a netmask with a hole", { netmask: "255.0.255.0" }, /must be a netmask/],
    ["an address that is none", { startIp: "192.168.2" }, /must be an IPv4 address/],
    ["a use that is none", { use: "private" }, /Invalid option/],
  ])("with %s is refused before anything is touched", (_, change, text) => {
    expect(vlanIpRange.inputs.safeParse({ server: cloud.server, ...range, ...change }).error?.message).toMatch(text);
  });
});

describe("a shared guest network", () => {
  beforeAll(async () => {
    const { guestCidr: _, ...given } = zoneGiven("sg");
    await cloud.up(zone, { ...given, securityGroups: true });
    await cloud.up(physicalNetwork, { ...network, zone: "sg", name: "sg-pnet" });
    await cloud.up(trafficType, { zone: "sg", physicalNetwork: "sg-pnet", type: "Guest" });
    for (const name of ["VirtualRouter", "SecurityGroupProvider"])
      await cloud.up(networkServiceProvider, { zone: "sg", physicalNetwork: "sg-pnet", name });
  });

  afterAll(async () => expect(await cloud.client.list("listNetworks", "network", { listall: "true" })).toEqual([]));

  test("is made with its range, found again, and deleted with it", async () => {
    const made = await cloud.up(guestNetwork, shared);
    expect((await cloud.up(guestNetwork, shared)).id).toBe(made.id);
    expect(await cloud.refresh(guestNetwork, made)).toEqual({ displayText: undefined });
    await cloud.down(guestNetwork, made);
    expect(await cloud.refresh(guestNetwork, made)).toBeUndefined();
    await cloud.down(guestNetwork, made);
  });

  test("of an offering that the server does not have is an error that names it", async () => {
    const error = await failure(cloud.up(guestNetwork, { ...shared, offering: "Offering of nobody" }));
    expect(error).toMatchObject({ kind: "invalid", code: "no-offering" });
    expect(error.message).toContain("Offering of nobody");
  });

  test("that the server refuses is an error", async () => {
    cloud.proxy.spoil("createNetwork", apiError("createNetwork", 431, 4350, "Physical network is not enabled"));
    expect((await failure(cloud.up(guestNetwork, shared))).message).toMatch(/not enabled/);
  });
});

test("a device of a plug-in that the server does not have is refused by name", async () => {
  const device = { ...on, provider: "Netscaler" as const, hostname: "10.0.0.9" };
  const unknown = apiError("listApis", 530, 9999, "unable to find an api by that name");
  cloud.proxy.spoil("listApis", unknown, { times: Number.POSITIVE_INFINITY });
  const error = await failure(cloud.up(networkDevice, device)).finally(() => cloud.proxy.clear());
  expect(error).toMatchObject({ kind: "invalid", code: "432" });
  expect(error.message).toMatch(/Netscaler device 10\.0\.0\.9 needs the command addNetscalerLoadBalancer/);
});
