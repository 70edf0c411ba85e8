import { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { address, type CloudServer, netmask, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";
import { hasCommand, vlanOf } from "./release.ts";

export interface VlanIpRangeInputs {
  server: CloudServer;
  zone: string;
  use: "public" | "guest";
  pod?: string | undefined;
  network?: string | undefined;
  physicalNetwork?: string | undefined;
  vlan?: string | undefined;
  gateway: string;
  netmask: string;
  startIp: string;
  endIp: string;
  account?: string | undefined;
  domainId?: string | undefined;
}

export interface VlanIpRangeOutputs {
  id: string;
}

interface Row {
  id: string;
  forvirtualnetwork: boolean;
  vlan?: string;
  podid?: string;
  networkid?: string;
  gateway: string;
  netmask: string;
  startip: string;
  endip: string;
}

const number = (ip: string) => ip.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
const overlap = (row: Row, { startIp, endIp }: VlanIpRangeInputs) =>
  number(row.startip) <= number(endIp) && number(startIp) <= number(row.endip);

/** What the range is in; whatever is not named is not sent. */
async function placeOf(cloud: Cloud, { zone, pod, network, physicalNetwork }: VlanIpRangeInputs): Promise<Record<string, string>> {
  return {
    zoneid: (await cloud.zone(zone)).id,
    ...(pod ? { podid: (await cloud.pod(zone, pod)).id } : {}),
    ...(network ? { networkid: (await cloud.guestNetwork(zone, network)).id } : {}),
    ...(physicalNetwork ? { physicalnetworkid: (await cloud.physicalNetwork(zone, physicalNetwork)).id } : {}),
  };
}

async function create(cloud: Cloud, inputs: VlanIpRangeInputs): Promise<Row> {
  const { use, vlan, gateway, netmask, startIp: startip, endIp: endip, account, domainId } = inputs;
  const reply = await cloud.client.change("createVlanIpRange", {
    ...(await placeOf(cloud, inputs)),
    ...{ gateway, netmask, startip, endip, forvirtualnetwork: String(use === "public") },
    ...(vlan ? { vlan } : {}),
    ...(account ? { account } : {}),
    ...(domainId ? { domainid: domainId } : {}),
  });
  return reply.vlan as Row;
}

const updates = { gateway: "gateway", netmask: "netmask", startIp: "startip", endIp: "endip" } as const;

export const vlanIpRange = defineCloudObject<VlanIpRangeInputs, VlanIpRangeOutputs, Row>({
  type: "cloudstack:VlanIpRange",
  summary: "A range of addresses: public ones of a zone, or those of the guests of a pod.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    use: z
      .enum(["public", "guest"])
      .default("public")
      .describe("Whose addresses they are: `public` of the zone, `guest` of a shared network."),
    pod: z.string().min(1).optional().describe("Name of the pod, in basic zones."),
    network: z.string().min(1).optional().describe("Name of the guest network, with `guest`."),
    physicalNetwork: z.string().min(1).optional().describe("Name of the physical network, where several carry public traffic."),
    vlan: z.string().min(1).optional().describe("Its VLAN; left out, it is untagged."),
    gateway: address.describe("Its gateway."),
    netmask: netmask.describe("Its netmask."),
    startIp: address.describe("First address. The range can be widened, and narrowed to what is in use."),
    endIp: address.describe("Last address."),
    account: z.string().min(1).optional().describe("Account that the range is kept for."),
    domainId: z.string().min(1).optional().describe("Id of that account's domain."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "use", "pod", "network", "physicalNetwork", "vlan", "account", "domainId"],
  id: (inputs) =>
    ["vlan-ip-range", inputs.zone, inputs.pod, inputs.network, inputs.vlan ?? "untagged", inputs.startIp].filter(Boolean).join("/"),
  title: (inputs) => `IP range ${inputs.startIp}-${inputs.endIp} of zone ${inputs.zone}`,
  async find(cloud, inputs, previous) {
    const { zoneid = "", podid, networkid } = await placeOf(cloud, inputs);
    const rows = await cloud.client.list<Row>("listVlanIpRanges", "vlaniprange", { zoneid });
    const alike = rows.filter(
      (one) =>
        one.forvirtualnetwork === (inputs.use === "public") &&
        vlanOf(one.vlan) === vlanOf(inputs.vlan) &&
        (podid === undefined || one.podid === podid) &&
        (networkid === undefined || one.networkid === networkid),
    );
    // One range of several in a VLAN is known by its id, without a state by its first address; one that was moved meanwhile overlaps.
    return (
      alike.find((one) => one.id === previous?.id) ??
      alike.find((one) => one.startip === inputs.startIp) ??
      alike.find((one) => overlap(one, inputs))
    );
  },
  create,
  shown: (row) => ({ gateway: row.gateway, netmask: row.netmask, startIp: row.startip, endIp: row.endip }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    if (await hasCommand(cloud.client, "updateVlanIpRange")) {
      const changed = (Object.keys(updates) as (keyof typeof updates)[]).filter((key) => differing.has(key));
      const parameters = Object.fromEntries(changed.map((key) => [updates[key], inputs[key]]));
      await cloud.client.set("updateVlanIpRange", { id: row.id, ...parameters });
      return;
    }
    // < 4.16 cannot change a range.
    await cloud.client.change("deleteVlanIpRange", { id: row.id });
    await create(cloud, inputs);
  },
  async destroy(cloud, _, row) {
    await cloud.client.change("deleteVlanIpRange", { id: row.id });
  },
});
