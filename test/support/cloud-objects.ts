import {
  cluster,
  host,
  imageStore,
  networkServiceProvider,
  physicalNetwork,
  pod,
  storagePool,
  trafficType,
  vlanIpRange,
  zone,
  zoneEnablement,
} from "../../providers/cloudstack/index.ts";
import type { Definition } from "../../providers/kernel/index.ts";
import { testContext } from "./context.ts";
import type { TestCloud } from "./test-cloud.ts";

/** One object of an advanced zone with simulated hosts. */
export interface CloudPart {
  // biome-ignore lint/suspicious/noExplicitAny: parts of many types in one list
  definition: Definition<any, any>;
  given: Record<string, unknown>;
}

export const zoneGiven = (name: string) => ({
  name,
  networkType: "Advanced" as const,
  dns1: "10.0.0.1",
  internalDns1: "10.0.0.1",
  guestCidr: "10.1.1.0/24",
});

export const podGiven = (zoneName: string, index = 0) => ({
  zone: zoneName,
  name: `${zoneName}-pod${index}`,
  gateway: `172.16.${index}.1`,
  netmask: "255.255.255.0",
  startIp: `172.16.${index}.10`,
  endIp: `172.16.${index}.99`,
});

/**
 * Everything of a zone, in an order in which it can be made.
 * @param index different ones do not overlap
 */
export function cloudParts(name: string, index: number, hosts = 1): CloudPart[] {
  const network = { zone: name, physicalNetwork: `${name}-pnet` };
  const place = { zone: name, pod: `${name}-pod${index}` };
  const inCluster = { ...place, cluster: `${name}-c0` };
  return [
    { definition: zone, given: zoneGiven(name) },
    { definition: physicalNetwork, given: { zone: name, name: `${name}-pnet`, isolationMethods: ["VLAN"], vlan: "100-200" } },
    ...["Guest", "Management", "Public"].map((type) => ({ definition: trafficType, given: { ...network, type } })),
    ...["VirtualRouter", "InternalLbVm"].map((provider) => ({
      definition: networkServiceProvider,
      given: { ...network, name: provider },
    })),
    { definition: pod, given: podGiven(name, index) },
    { definition: cluster, given: { ...place, name: `${name}-c0`, hypervisor: "simulator" } },
    ...Array.from({ length: hosts }, (_, number) => ({
      definition: host,
      given: { ...inCluster, hypervisor: "simulator", url: `http://sim/c0/h${number}` },
    })),
    { definition: storagePool, given: { ...inCluster, name: `${name}-ps0`, url: `nfs://10.0.0.1:/primary/${name}` } },
    {
      definition: vlanIpRange,
      given: {
        zone: name,
        vlan: String(50 + index),
        ...{ gateway: `192.168.${index}.1`, netmask: "255.255.255.0", startIp: `192.168.${index}.10`, endIp: `192.168.${index}.99` },
      },
    },
    { definition: imageStore, given: { zone: name, url: `nfs://10.0.0.1:/secondary/${name}` } },
    { definition: zoneEnablement, given: { zone: name } },
  ];
}

export type CloudStates = Map<CloudPart, object>;

/** One `up` of them one after the other; what is in `states` is updated. */
export async function deploy(cloud: TestCloud, parts: readonly CloudPart[], states: CloudStates = new Map()): Promise<CloudStates> {
  for (const part of parts) states.set(part, await cloud.up(part.definition, part.given, states.get(part)));
  return states;
}

/** One `destroy` of them, the last one first. */
export async function destroy(cloud: TestCloud, parts: readonly CloudPart[], states: CloudStates): Promise<void> {
  for (const part of [...parts].reverse()) {
    const state = states.get(part) ?? part.definition.inputs.parse({ server: cloud.server, ...part.given });
    await part.definition.remove({ ...testContext(), operation: "delete" }, state);
  }
}
