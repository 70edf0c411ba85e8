// A whole zone of simulated hosts, made by its resources against the emulator: from nothing, again, half-built, and to nothing.

import { describe, expect, test } from "@jest/globals";
import { health } from "../../providers/cloudstack/index.ts";
import { TestbedError } from "../../providers/kernel/index.ts";
import { cloudParts, deploy, destroy } from "../support/cloud-objects.ts";
import { apiError, type ProxyFault } from "../support/cloud-proxy.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();

const lists = [
  ["listZones", "zone"],
  ["listPhysicalNetworks", "physicalnetwork"],
  ["listPods", "pod"],
  ["listClusters", "cluster"],
  ["listHosts", "host"],
  ["listStoragePools", "storagepool"],
  ["listVlanIpRanges", "vlaniprange"],
  ["listImageStores", "imagestore"],
] as const;

/** How many of each object there are, in the order of `lists`; of hosts without the system VMs'. */
async function counts(): Promise<number[]> {
  const found = await Promise.all(
    lists.map(([command, key]) => cloud.client.list(command, key, command === "listHosts" ? { type: "Routing" } : {})),
  );
  return found.map((one) => one.length);
}

describe("a zone", () => {
  test("is made, becomes healthy, is left alone by a second run, and is removed to an empty cloud", async () => {
    const parts = cloudParts("whole", 1, 2);
    const states = await deploy(cloud, parts);
    expect(await counts()).toEqual([1, 1, 1, 1, 2, 1, 1, 1]);
    const gate = await cloud.up(health, { zones: [{ name: "whole", hosts: [], pools: [] }], everySeconds: 0.05, timeoutSeconds: 60 });
    expect(gate.summary).toContain("2 hosts up, 1 pools up");
    cloud.proxy.clear();
    await deploy(cloud, parts, states);
    expect(cloud.proxy.changes).toEqual([]);
    // Lost state: everything is found again.
    const again = await deploy(cloud, parts);
    expect(cloud.proxy.changes).toEqual([]);
    expect([...again.values()].map((one) => (one as { id: string }).id)).toEqual(
      [...states.values()].map((one) => (one as { id: string }).id),
    );
    await destroy(cloud, parts, states);
    expect(await counts()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    await destroy(cloud, parts, states);
  });
});

/** The changing calls that the deployment of one zone makes, in their order. */
const changes = [
  ...["createZone", "updateZone", "createPhysicalNetwork", "updatePhysicalNetwork", "addTrafficType", "addTrafficType", "addTrafficType"],
  ...["configureVirtualRouterElement", "updateNetworkServiceProvider"],
  ...["configureInternalLoadBalancerElement", "updateNetworkServiceProvider"],
  ...["createPod", "addCluster", "addHost", "createStoragePool", "createVlanIpRange", "addImageStore", "updateZone"],
];

const faults: [text: string, fault: (command: string) => ProxyFault][] = [
  ["is cut before the server gets it", () => "cut-before"],
  ["is done, and its answer cut", () => "cut-after"],
  ["is refused", (command) => apiError(command, 530, 4250, "injected")],
];

describe("a deployment whose call", () => {
  test("is made as often as marvin makes it, and once more for the mark", async () => {
    await deploy(cloud, cloudParts("calls", 2));
    expect(cloud.proxy.changes).toEqual(changes);
    await destroy(cloud, cloudParts("calls", 2), new Map());
  });

  test.each([1, 3, 8, 13, 17])("%i is refused leaves a cloud that can be destroyed as it is", async (index) => {
    const parts = cloudParts("broken", 3);
    cloud.proxy.spoil("change", apiError(changes[index] ?? "", 530, 4250, "injected"), { after: index });
    await expect(deploy(cloud, parts)).rejects.toThrow("injected");
    await destroy(cloud, parts, new Map());
    expect(await counts()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  // Every second call, with the faults in turn.
  test.each(
    changes.flatMap((command, index) =>
      index % 2 === 0 ? [[index, command, ...(faults[index % faults.length] as (typeof faults)[number])] as const] : [],
    ),
  )("%i (%s) %s is completed by the next run, without a duplicate", async (index, command, _, fault) => {
    const parts = cloudParts("broken", 3);
    cloud.proxy.spoil("change", fault(command), { after: index });
    // What was done and found again is no failure at all.
    const error = await deploy(cloud, parts).catch((thrown: unknown) => thrown);
    if (error instanceof Error) expect(error).toBeInstanceOf(TestbedError);
    await deploy(cloud, parts);
    expect(await counts()).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    await destroy(cloud, parts, new Map());
    expect(await counts()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
