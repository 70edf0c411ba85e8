import { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { allocation, type CloudServer, physicalNetworkName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface NetworkServiceProviderInputs {
  server: CloudServer;
  zone: string;
  physicalNetwork: string;
  name: string;
  state: "Enabled" | "Disabled";
}

export interface NetworkServiceProviderOutputs {
  id: string;
}

export interface ProviderRow {
  id: string;
  name: string;
  state: string;
}

interface Element {
  list: string;
  key: string;
  configure: string;
}

const router: Element = { list: "listVirtualRouterElements", key: "virtualrouterelement", configure: "configureVirtualRouterElement" };
const balancer: Element = {
  list: "listInternalLoadBalancerElements",
  key: "internalloadbalancerelement",
  configure: "configureInternalLoadBalancerElement",
};

/** Providers that are "not ready" until their element is configured. */
const elements: Record<string, Element> = { VirtualRouter: router, VpcVirtualRouter: router, InternalLbVm: balancer };

/** Those of external devices, which nobody but us adds to a physical network. */
const ADDED = ["Netscaler", "F5BigIp", "JuniperSRX", "NiciraNvp"];

export async function findProvider(cloud: Cloud, zone: string, network: string, name: string): Promise<ProviderRow | undefined> {
  const physicalnetworkid = (await cloud.physicalNetwork(zone, network)).id;
  const rows = await cloud.client.list<ProviderRow>("listNetworkServiceProviders", "networkserviceprovider", { physicalnetworkid, name });
  return rows.find((one) => one.name === name);
}

export async function addProvider(cloud: Cloud, zone: string, network: string, name: string): Promise<ProviderRow | undefined> {
  const physicalnetworkid = (await cloud.physicalNetwork(zone, network)).id;
  const reply = await cloud.client.changeAndWait("addNetworkServiceProvider", { physicalnetworkid, name });
  return reply.networkserviceprovider as ProviderRow | undefined;
}

async function configureElement(cloud: Cloud, { id, name }: ProviderRow): Promise<void> {
  const element = elements[name];
  if (!element) return;
  const rows = await cloud.client.list<{ id: string; enabled: boolean }>(element.list, element.key, { nspid: id });
  for (const row of rows) if (!row.enabled) await cloud.client.changeAndWait(element.configure, { id: row.id, enabled: "true" });
}

const setState = (cloud: Cloud, id: string, state: string) => cloud.client.changeAndWait("updateNetworkServiceProvider", { id, state });

export const networkServiceProvider = defineCloudObject<NetworkServiceProviderInputs, NetworkServiceProviderOutputs, ProviderRow>({
  type: "cloudstack:NetworkServiceProvider",
  summary: "A provider of network services on a physical network, its element configured, enabled. Its devices come before it.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    physicalNetwork: physicalNetworkName,
    name: z
      .string()
      .min(1)
      .describe("The provider: `VirtualRouter`, `VpcVirtualRouter`, `InternalLbVm`, `SecurityGroupProvider`, `Netscaler` ..."),
    state: allocation.describe("Whether it serves."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "physicalNetwork", "name"],
  id: (inputs) => `network-service-provider/${inputs.zone}/${inputs.physicalNetwork}/${inputs.name}`,
  title: (inputs) => `provider ${inputs.name} of physical network ${inputs.physicalNetwork}`,
  find: (cloud, inputs) => findProvider(cloud, inputs.zone, inputs.physicalNetwork, inputs.name),
  create: (cloud, inputs) => addProvider(cloud, inputs.zone, inputs.physicalNetwork, inputs.name),
  shown: (row) => ({ state: row.state as NetworkServiceProviderInputs["state"] }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row) {
    if (inputs.state === "Enabled") await configureElement(cloud, row);
    await setState(cloud, row.id, inputs.state);
  },
  /** One that the server made with the network stays as it was made: disabled. */
  async destroy(cloud, _, row) {
    if (ADDED.includes(row.name)) await cloud.client.changeAndWait("deleteNetworkServiceProvider", { id: row.id });
    else if (row.state !== "Disabled") await setState(cloud, row.id, "Disabled");
  },
});
