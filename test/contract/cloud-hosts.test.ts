// cloudstack:Pod, Cluster and Host against the emulator.

import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { cluster, host, pod, zone } from "../../providers/cloudstack/index.ts";
import { podGiven, zoneGiven } from "../support/cloud-objects.ts";
import { apiError } from "../support/cloud-proxy.ts";
import { failure } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();
const podArguments = podGiven("z0");
const place = { zone: "z0", pod: podArguments.name };
const clusterArguments = { ...place, name: "c0", hypervisor: "simulator" };
const hostArguments = { ...place, cluster: "c0", hypervisor: "simulator", url: "http://sim/c0/h0" };

interface Row {
  id: string;
  name: string;
  state: string;
  resourcestate: string;
  hosttags?: string;
}

const hosts = () => cloud.client.list<Row>("listHosts", "host", { type: "Routing" });

beforeAll(async () => {
  await cloud.up(zone, zoneGiven("z0"));
  await cloud.up(pod, podArguments);
  await cloud.up(cluster, clusterArguments);
});

describe("a pod", () => {
  const other = podGiven("z0", 5);

  afterEach(async () => {
    const left = (await cloud.client.list<Row>("listPods", "pod")).filter((one) => one.name !== podArguments.name);
    for (const { id } of left) await cloud.client.change("deletePod", { id });
  });

  test("is made once, and deleted", async () => {
    const made = await cloud.up(pod, other);
    cloud.proxy.clear();
    expect((await cloud.up(pod, other)).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    await cloud.down(pod, made);
    expect(await cloud.refresh(pod, made)).toBeUndefined();
    await cloud.down(pod, made);
  });

  test.each([
    ["netmask", "255.255.0.0"],
    ["gateway", "172.16.5.2"],
    ["state", "Disabled"],
    ["endIp", "172.16.5.150"],
    ["startIp", "172.16.5.5"],
  ])("is changed in place: %s", async (field, value) => {
    const before = await cloud.up(pod, other);
    const after = await cloud.up(pod, { ...other, [field]: value }, before);
    expect(after.id).toBe(before.id);
    expect(await cloud.refresh(pod, after)).toMatchObject({ [field]: value });
    await cloud.down(pod, after);
  });

  test("that was disabled by hand is seen and enabled again", async () => {
    const state = await cloud.up(pod, podArguments);
    await cloud.client.change("updatePod", { id: state.id, allocationstate: "Disabled" });
    expect(await cloud.refresh(pod, state)).toMatchObject({ state: "Disabled" });
    await cloud.up(pod, podArguments, state);
    expect(await cloud.refresh(pod, state)).toMatchObject({ state: "Enabled" });
  });

  test("that somebody made at the same moment is taken", async () => {
    cloud.proxy.spoil("createPod", apiError("createPod", 530, 9999, "Entity already exists "));
    const id = await cloud.zoneId("z0");
    expect(await cloud.refresh(pod, { ...pod.inputs.parse({ server: cloud.server, ...other }), id: "" } as never)).toBeUndefined();
    const { name, gateway, netmask, startIp, endIp } = other;
    const race = cloud.proxy.before("createPod", () =>
      cloud.client.change("createPod", { zoneid: id, name, gateway, netmask, startip: startIp, endip: endIp }),
    );
    const state = await cloud.up(pod, other);
    expect(state.id).toBe(((await race) as { pod: Row }).pod.id);
    await cloud.down(pod, state);
  });

  test("whose network overlaps another one is refused by the server", async () => {
    const error = await failure(cloud.up(pod, { ...podArguments, name: "overlap", startIp: "172.16.0.50" }));
    expect(error).toMatchObject({ kind: "invalid" });
  });

  test("whose range lies outside of its network is refused by the server", async () => {
    expect((await failure(cloud.up(pod, { ...other, startIp: "10.9.9.9" }))).code).toMatch(/^(431|530)/);
  });

  test("that holds a cluster cannot go, with the server's reason", async () => {
    const state = await cloud.up(pod, podArguments);
    expect((await failure(cloud.down(pod, state))).message).toMatch(/pod cannot be deleted because/);
  });
});

describe("a cluster", () => {
  const other = { ...clusterArguments, name: "c9" };

  test("is made once, and deleted", async () => {
    const made = await cloud.up(cluster, other);
    cloud.proxy.clear();
    expect((await cloud.up(cluster, other)).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    await cloud.down(cluster, made);
    expect(await cloud.refresh(cluster, made)).toBeUndefined();
    await cloud.down(cluster, made);
  });

  test.each([
    ["state", "Disabled", { allocationstate: "Disabled" }],
    ["managed", false, { managedstate: "Unmanaged" }],
  ])("is changed in place, and by hand: %s", async (field, value, parameters) => {
    const made = await cloud.up(cluster, other);
    const changed = await cloud.up(cluster, { ...other, [field]: value }, made);
    expect(await cloud.refresh(cluster, changed)).toMatchObject({ [field]: value });
    const back = await cloud.up(cluster, other, changed);
    await cloud.client.change("updateCluster", { id: made.id, ...parameters });
    expect(await cloud.refresh(cluster, back)).toMatchObject({ [field]: value });
    await cloud.up(cluster, other, back);
    expect(await cloud.refresh(cluster, back)).toMatchObject({ state: "Enabled", managed: true });
    await cloud.down(cluster, back);
  });

  test("of a hypervisor that the server does not know is noticed, though the server says nothing", async () => {
    const error = await failure(cloud.up(cluster, { ...other, name: "frob", hypervisor: "Frobnicator" }));
    expect(error).toMatchObject({ code: "not-stored" });
    expect(error.message).toContain("Frobnicator");
    const [left] = (await cloud.client.list<Row>("listClusters", "cluster")).filter((one) => one.name === "frob");
    await cloud.client.change("deleteCluster", { id: left?.id ?? "" });
  });

  test("of a pod that does not exist is an error that names it", async () => {
    expect((await failure(cloud.up(cluster, { ...other, pod: "nowhere" }))).message).toMatch(/pod nowhere in z0/);
  });

  test("that the server refuses is an error", async () => {
    cloud.proxy.spoil("addCluster", apiError("addCluster", 530, 4250, "Unable to create the cluster"));
    expect((await failure(cloud.up(cluster, other))).message).toMatch(/Unable to create the cluster/);
  });

  test("with the row of a host that a failed addition left goes with it", async () => {
    const made = await cloud.up(cluster, other);
    const [left] = (await cloud.up(host, { ...hostArguments, cluster: "c9" })) ? await hosts() : [];
    cloud.alert(left?.id ?? "");
    await cloud.down(cluster, made);
    expect(await hosts()).toEqual([]);
  });
});

describe("a simulated host", () => {
  test("is added once, is known again by a tag, and is removed by way of maintenance", async () => {
    const made = await cloud.up(host, { ...hostArguments, tags: ["fast"] });
    expect((await hosts())[0]?.hosttags).toMatch(/^fast,testbed-[0-9a-f]{12}$/);
    cloud.proxy.clear();
    expect((await cloud.up(host, { ...hostArguments, tags: ["fast"] })).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    expect(await cloud.refresh(host, made)).toEqual({ tags: ["fast"], state: "Enabled" });
    await cloud.down(host, made);
    expect(cloud.proxy.changes).toEqual(["prepareHostForMaintenance", "deleteHost"]);
    expect(await hosts()).toEqual([]);
    await cloud.down(host, made);
  });

  test("is another one than that of another address", async () => {
    const one = await cloud.up(host, hostArguments);
    const other = await cloud.up(host, { ...hostArguments, url: "http://sim/c0/h1" });
    expect(other.id).not.toBe(one.id);
    // One after the other, though both are asked for at once.
    await Promise.all([cloud.down(host, one), cloud.down(host, other)]);
    expect(await hosts()).toEqual([]);
  });

  test("gets its tags and its state in place", async () => {
    const made = await cloud.up(host, hostArguments);
    const changed = await cloud.up(host, { ...hostArguments, tags: ["a", "b"], state: "Disabled" }, made);
    expect(changed.id).toBe(made.id);
    expect(await cloud.refresh(host, changed)).toEqual({ tags: ["a", "b"], state: "Disabled" });
    const back = await cloud.up(host, hostArguments, changed);
    expect(await cloud.refresh(host, back)).toEqual({ tags: [], state: "Enabled" });
    await cloud.down(host, back);
  });

  test("that was moved into maintenance or disabled by hand is seen and taken back into use", async () => {
    const state = await cloud.up(host, hostArguments);
    await cloud.client.changeAndWait("prepareHostForMaintenance", { id: state.id });
    expect((await cloud.refresh(host, state))?.state).toMatch(/Maintenance/);
    await cloud.up(host, hostArguments, state);
    expect((await cloud.refresh(host, state))?.state).toBe("Enabled");
    await cloud.client.change("updateHost", { id: state.id, allocationstate: "Disable", hosttags: "mistake" });
    expect(await cloud.refresh(host, state)).toEqual({ tags: ["mistake", "(without mark)"], state: "Disabled" });
    expect((await cloud.up(host, hostArguments, state)).id).toBe(state.id);
    expect(await cloud.refresh(host, state)).toEqual({ tags: [], state: "Enabled" });
    await cloud.down(host, state);
  });

  test("that a failed addition left in Alert is removed and added again", async () => {
    const state = await cloud.up(host, hostArguments);
    cloud.alert(state.id);
    const again = await cloud.up(host, hostArguments);
    expect(again.id).not.toBe(state.id);
    expect(await hosts()).toMatchObject([{ id: again.id, state: "Up" }]);
    await cloud.down(host, again);
  });

  test("that is in Alert after it was up is connected again, not added again", async () => {
    const state = await cloud.up(host, hostArguments);
    cloud.proxy.clear();
    cloud.alert(state.id);
    expect((await cloud.refresh(host, state))?.state).toBe("Alert");
    cloud.proxy.spoil("reconnectHost", apiError("reconnectHost", 530, 4250, "no agent answers"));
    const error = await failure(cloud.up(host, hostArguments, state));
    expect(error).toMatchObject({ kind: "refused", code: "host-alert" });
    expect(error.message).toMatch(/no agent answers/);
    expect(cloud.proxy.changes).toEqual(["reconnectHost"]);
    // One that is not connected is removed without maintenance.
    await cloud.down(host, state);
    expect(await hosts()).toEqual([]);
  });

  test("whose machine was installed anew is added anew", async () => {
    const state = await cloud.up(host, { ...hostArguments, machine: "first" });
    const again = await cloud.up(host, { ...hostArguments, machine: "second" }, state);
    expect(again.id).not.toBe(state.id);
    expect(await hosts()).toHaveLength(1);
    expect((await cloud.up(host, { ...hostArguments, machine: "second" }, { ...state, machine: "first" })).id).toBe(again.id);
    await cloud.down(host, again);
  });

  test.each([
    ["an address that the simulator does not take", { url: "http://elsewhere/h0" }, undefined, /Cannot find the server resources/],
    ["the server's refusal", {}, apiError("addHost", 530, 9999, "Unable to add the host"), /Unable to add the host/],
    ["a cluster that does not exist", { cluster: "nowhere" }, undefined, /cluster nowhere/],
  ])("fails for %s, and leaves nothing", async (_, change, fault, text) => {
    if (fault) cloud.proxy.spoil("addHost", fault);
    expect((await failure(cloud.up(host, { ...hostArguments, ...change }))).message).toMatch(text);
    expect(await hosts()).toEqual([]);
  });

  test("whose maintenance fails twice is an error, and the host stays", async () => {
    const state = await cloud.up(host, hostArguments);
    cloud.proxy.spoil("prepareHostForMaintenance", apiError("prepareHostForMaintenance", 530, 4250, "another host is in maintenance"));
    expect((await failure(cloud.down(host, state))).message).toMatch(/another host is in maintenance/);
    expect(await hosts()).toHaveLength(1);
    await cloud.down(host, state);
  });
});

describe("a real host", () => {
  const real = { ...place, cluster: "kvm", hypervisor: "KVM", url: "http://10.91.0.11", credential: "password" };
  const credentials = { password: { user: "root", password: "secret-of-the-host" } };

  test("is known again by its address, also when its url is a name", async () => {
    await cloud.up(cluster, { ...clusterArguments, name: "kvm", hypervisor: "KVM" });
    const context = () => cloud.contextWith(credentials);
    const made = await cloud.up(host, real, undefined, context());
    expect(made.ipAddress).toBe("10.91.0.11");
    expect((await cloud.up(host, real, undefined, context())).id).toBe(made.id);
    expect((await cloud.up(host, { ...real, url: "http://h11", address: "10.91.0.11" }, undefined, context())).id).toBe(made.id);
    expect((await cloud.refresh(host, made))?.tags).toEqual([]);
    await cloud.down(host, made);
  });

  test("without its credential is an error that names it, and none is sent", async () => {
    cloud.proxy.clear();
    await expect(cloud.up(host, { ...real, credential: "nobody" })).rejects.toThrow("no credential nobody");
    expect(cloud.proxy.changes).toEqual([]);
  });
});
