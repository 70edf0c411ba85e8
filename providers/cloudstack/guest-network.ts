import { z } from "zod";
import { TestbedError } from "../kernel/index.ts";
import type { Cloud } from "./cloud.ts";
import { address, type CloudServer, netmask, objectName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface GuestNetworkInputs {
  server: CloudServer;
  zone: string;
  name: string;
  displayText?: string | undefined;
  offering: string;
  startIp?: string | undefined;
  endIp?: string | undefined;
  gateway?: string | undefined;
  netmask?: string | undefined;
  vlan?: string | undefined;
}

export interface GuestNetworkOutputs {
  id: string;
}

interface Row {
  id: string;
  name: string;
  displaytext: string;
}

async function offeringId(cloud: Cloud, name: string): Promise<string> {
  const offerings = await cloud.client.list<{ id: string; name: string }>("listNetworkOfferings", "networkoffering", { name });
  const found = offerings.find((one) => one.name === name);
  if (found) return found.id;
  throw new TestbedError({
    system: cloud.client.system,
    object: `network offering ${name}`,
    kind: "invalid",
    code: "no-offering",
    message: "the server has no network offering of this name",
    remedy: "correct `networkofferingname` of the zone; the server's interface lists its network offerings",
  });
}

export const guestNetwork = defineCloudObject<GuestNetworkInputs, GuestNetworkOutputs, Row>({
  type: "cloudstack:GuestNetwork",
  summary: "The network that all guests of a basic zone, or of an advanced one with security groups, share.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    name: objectName.describe("Its name."),
    displayText: z.string().min(1).optional().describe("What the interface shows; by default its name."),
    offering: z.string().min(1).describe("Name of the network offering."),
    startIp: address.optional().describe("First address of the guests; in basic zones each pod has ranges of its own instead."),
    endIp: address.optional().describe("Last address of the guests."),
    gateway: address.optional().describe("Gateway of the guests."),
    netmask: netmask.optional().describe("Netmask of the guests."),
    vlan: z.string().min(1).optional().describe("Its VLAN."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "name", "offering", "startIp", "endIp", "gateway", "netmask", "vlan"],
  id: (inputs) => `guest-network/${inputs.zone}/${inputs.name}`,
  title: (inputs) => `guest network ${inputs.name} of zone ${inputs.zone}`,
  async find(cloud, inputs) {
    const parameters = { zoneid: (await cloud.zone(inputs.zone)).id, listall: "true" };
    const rows = await cloud.client.list<Row>("listNetworks", "network", parameters);
    return rows.find((one) => one.name === inputs.name);
  },
  async create(cloud, inputs) {
    const { name, displayText = name, startIp, endIp, gateway, netmask, vlan } = inputs;
    const reply = await cloud.client.changeAndWait("createNetwork", {
      zoneid: await cloud.ownedZone(inputs.zone),
      networkofferingid: await offeringId(cloud, inputs.offering),
      name,
      displaytext: displayText,
      ...(startIp ? { startip: startIp } : {}),
      ...(endIp ? { endip: endIp } : {}),
      ...(gateway ? { gateway } : {}),
      ...(netmask ? { netmask } : {}),
      ...(vlan ? { vlan } : {}),
    });
    return reply.network as Row | undefined;
  },
  shown: (row, inputs) => ({
    displayText: inputs.displayText === undefined && row.displaytext === inputs.name ? undefined : row.displaytext,
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row) {
    await cloud.client.changeAndWait("updateNetwork", { id: row.id, displaytext: inputs.displayText ?? inputs.name });
  },
  async settle(cloud, inputs, row) {
    cloud.know("guest network", `${inputs.zone}/${inputs.name}`, row);
    return row;
  },
  /** Only after its ranges, the pods and the system VMs are gone (cloudstack-observed facts 36); its own range goes with it. */
  async destroy(cloud, state, row) {
    const ranges = await cloud.client.list<{ id: string }>("listVlanIpRanges", "vlaniprange", { networkid: row.id });
    for (const { id } of ranges) await cloud.client.change("deleteVlanIpRange", { id });
    await cloud.client.changeAndWait("deleteNetwork", { id: row.id, forced: "true" });
    cloud.forget("guest network", `${state.zone}/${state.name}`);
  },
});
