// Removal from a live cloud of the emulator: guests, system VMs, one part of many, and a cloud that changed hands.

import { beforeAll, describe, expect, test } from "@jest/globals";
import { cluster, health, host, pod, storagePool, zone, zoneEnablement } from "../../providers/cloudstack/index.ts";
import { type Mark, markText } from "../../providers/kernel/index.ts";
import { ownershipOf } from "../../providers/kernel/ownership.ts";
import { type CloudPart, type CloudStates, cloudParts, deploy, destroy, podGiven } from "../support/cloud-objects.ts";
import { failure, ours, testContext, theirs } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";
import { waitUntil } from "../support/wait-until.ts";

const cloud = TestCloud.forFile();
const parts = cloudParts("z0", 0, 2);
let states: CloudStates;

interface Row {
  id: string;
  name: string;
  state: string;
  allocationstate: string;
}

const systemVms = () => cloud.client.list<Row>("listSystemVms", "systemvm");
const zones = () => cloud.client.list<Row>("listZones", "zone");
const partOf = (definition: unknown, index = 0) => parts.filter((one) => one.definition === definition)[index] as CloudPart;
const stateOf = (definition: unknown, index = 0) => states.get(partOf(definition, index)) as never;
const healthy = () => cloud.up(health, { zones: [{ name: "z0", hosts: [], pools: [] }], everySeconds: 0.1, timeoutSeconds: 60 });

beforeAll(async () => {
  states = await deploy(cloud, parts);
  await healthy();
});

describe("on a live cloud", () => {
  test("one pod more comes with all that is in it, and goes again", async () => {
    const inPod = { zone: "z0", pod: "z0-pod7" };
    const more: CloudPart[] = [
      { definition: pod, given: podGiven("z0", 7) },
      { definition: cluster, given: { ...inPod, name: "c7", hypervisor: "simulator" } },
      { definition: host, given: { ...inPod, cluster: "c7", hypervisor: "simulator", url: "http://sim/c7/h0" } },
      { definition: storagePool, given: { ...inPod, cluster: "c7", name: "ps7", url: "nfs://10.0.0.1:/primary/7" } },
    ];
    const made = await deploy(cloud, more);
    await healthy();
    await destroy(cloud, more, made);
    expect((await cloud.client.list<Row>("listPods", "pod")).map((one) => one.name)).toEqual(["z0-pod0"]);
    await healthy();
  });

  test("one host of two goes, and the system VMs are well", async () => {
    await cloud.down(host, stateOf(host, 1));
    expect(await cloud.client.list("listHosts", "host", { type: "Routing" })).toHaveLength(1);
    await healthy();
    states = await deploy(cloud, parts, states);
  });

  test("a cluster with hosts, a pod with clusters and a zone with pods stay, with the server's reason", async () => {
    expect((await failure(cloud.down(cluster, stateOf(cluster)))).message).toMatch(/Cluster still has hosts/);
    expect((await failure(cloud.down(pod, stateOf(pod)))).message).toMatch(/pod cannot be deleted/);
    expect((await failure(cloud.down(zone, stateOf(zone)))).message).toMatch(/zone cannot be deleted/);
    await healthy();
  });
});

/** A VM of a user, in a network of its own. */
async function userVm(name: string): Promise<string> {
  // The open port acts as an account that owns nothing.
  const client = cloud.admin;
  const zoneid = await cloud.zoneId("z0");
  const offering = async (command: string, key: string, wanted: RegExp) =>
    (await client.list<Row>(command, key, { account: "admin", domainid: await rootDomain() })).find((one) => wanted.test(one.name))?.id ??
    "";
  const networkofferingid = await offering(
    "listNetworkOfferings",
    "networkoffering",
    /^DefaultIsolatedNetworkOfferingWithSourceNatService$/,
  );
  const owner = { account: "admin", domainid: await rootDomain() };
  const network = (await client.change("createNetwork", { zoneid, name: `${name}-net`, displaytext: name, networkofferingid, ...owner }))
    .network as Row;
  const templates = await client.list<Row & { templatetype: string }>("listTemplates", "template", { templatefilter: "all", zoneid });
  const templateid = templates.find((one) => one.templatetype === "BUILTIN")?.id ?? "";
  const serviceofferingid = await offering("listServiceOfferings", "serviceoffering", /Small/);
  const vm = { zoneid, name, displayname: name, templateid, serviceofferingid, networkids: network.id, ...owner };
  const made = (await client.changeAndWait("deployVirtualMachine", vm)) as { virtualmachine: Row };
  return made.virtualmachine.id;
}

const rootDomain = async () => (await cloud.client.list<Row>("listDomains", "domain"))[0]?.id ?? "";

describe("switching a zone off", () => {
  test("is refused while users' VMs are in it; they are named, and nothing is changed", async () => {
    await userVm("precious");
    cloud.proxy.clear();
    const error = await failure(cloud.down(zoneEnablement, stateOf(zoneEnablement)));
    expect(error).toMatchObject({ kind: "conflict", code: "guests" });
    expect(error.message).toMatch(/VM precious.*network precious-net.*cloud\.destroyGuests/);
    expect(cloud.proxy.changes).toEqual([]);
    expect(await systemVms()).toHaveLength(2);
  });

  test("removes users' VMs and networks where that is wanted, then the system VMs", async () => {
    await cloud.down(zoneEnablement, { ...(stateOf(zoneEnablement) as object), destroyGuests: true } as never);
    expect(await zones()).toMatchObject([{ allocationstate: "Disabled" }]);
    expect(await systemVms()).toEqual([]);
    expect(await cloud.client.list("listVirtualMachines", "virtualmachine", { listall: "true" })).toEqual([]);
    expect(await cloud.client.list("listRouters", "router", { listall: "true" })).toEqual([]);
    expect(await cloud.client.list("listNetworks", "network", { listall: "true" })).toEqual([]);
    expect(cloud.proxy.changes[0]).toBe("updateZone");
  });

  test("that was cut off in between is completed by the next try", async () => {
    states = await deploy(cloud, parts, states);
    await healthy();
    cloud.proxy.spoil("destroySystemVm", "cut-before", { times: 2 });
    await cloud.down(zoneEnablement, stateOf(zoneEnablement)).catch(() => undefined);
    cloud.proxy.clear();
    await cloud.down(zoneEnablement, stateOf(zoneEnablement));
    expect(await systemVms()).toEqual([]);
  });
});

describe("a zone that changed hands", () => {
  const ownership = ownershipOf("cloudstack:Zone");
  const inputs = () => ({ ...(stateOf(zone) as object) });
  const give = (mark: Mark) =>
    cloud
      .zoneId("z0")
      .then((id) => cloud.client.change("updateZone", { id, "details[0].key": "cloudstack-testbed", "details[0].value": markText(mark) }));

  test("shows its holder, and is taken from it on purpose", async () => {
    await give(theirs);
    const [holding] = (await ownership?.holdings(testContext(), inputs())) ?? [];
    expect(holding).toMatchObject({ object: "zone z0", holder: theirs });
    if (holding) await ownership?.take(testContext(), inputs(), holding);
    expect(await ownership?.holdings(testContext(), inputs())).toMatchObject([{ holder: ours }]);
  });

  test("meanwhile once more is not taken", async () => {
    const [holding] = (await ownership?.holdings(testContext(), inputs())) ?? [];
    await give({ ...theirs, stack: "third" });
    if (holding)
      expect(await failure(ownership?.take(testContext(), inputs(), holding) as Promise<void>)).toMatchObject({ code: "changed-hands" });
    await give(ours);
  });

  test("is destroyed to an empty cloud", async () => {
    await destroy(cloud, parts, states);
    await waitUntil("an empty cloud", async () => (await zones()).length === 0);
    expect(await ownership?.holdings(testContext(), inputs())).toEqual([]);
  });
});
