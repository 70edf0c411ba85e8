import { z } from "zod";
import { type CloudServer, physicalNetworkName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

const hypervisors = ["kvm", "xen", "vmware", "hyperv", "ovm3"] as const;

export interface TrafficTypeInputs {
  server: CloudServer;
  zone: string;
  physicalNetwork: string;
  type: "Guest" | "Management" | "Public" | "Storage" | "Control";
  labels: Partial<Record<(typeof hypervisors)[number], string>>;
  vlan?: string | undefined;
}

export interface TrafficTypeOutputs {
  id: string;
}

interface Row extends Record<string, unknown> {
  id: string;
  traffictype: string;
}

const label = z.string().min(1).optional();

export const trafficType = defineCloudObject<TrafficTypeInputs, TrafficTypeOutputs, Row>({
  type: "cloudstack:TrafficType",
  summary: "A kind of traffic that a physical network carries, and which bridge or switch of the hosts that is.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    physicalNetwork: physicalNetworkName,
    type: z.enum(["Guest", "Management", "Public", "Storage", "Control"]).describe("The traffic; each but Guest once per zone."),
    labels: z
      .object({
        kvm: label.describe("Bridge of KVM hosts."),
        xen: label.describe("Name label of the network of XenServer hosts."),
        vmware: label.describe("Virtual switch of VMware hosts."),
        hyperv: label.describe("Virtual switch of Hyper-V hosts."),
        ovm3: label.describe("Network of OVM3 hosts."),
      })
      .prefault({})
      .describe("What carries it on the hosts, by hypervisor; one that is left out is the hypervisor's default."),
    vlan: z.string().min(1).optional().describe("VLAN of storage or management traffic."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "physicalNetwork", "type", "vlan"],
  id: (inputs) => `traffic-type/${inputs.zone}/${inputs.physicalNetwork}/${inputs.type}`,
  title: (inputs) => `${inputs.type} traffic of physical network ${inputs.physicalNetwork}`,
  async find(cloud, inputs) {
    const physicalnetworkid = (await cloud.physicalNetwork(inputs.zone, inputs.physicalNetwork)).id;
    const rows = await cloud.client.list<Row>("listTrafficTypes", "traffictype", { physicalnetworkid });
    return rows.find((one) => one.traffictype === inputs.type);
  },
  async create(cloud, inputs) {
    const labels = Object.entries(inputs.labels).filter(([, value]) => value !== undefined);
    const reply = await cloud.client.changeAndWait("addTrafficType", {
      physicalnetworkid: (await cloud.physicalNetwork(inputs.zone, inputs.physicalNetwork)).id,
      traffictype: inputs.type,
      ...Object.fromEntries(labels.map(([hypervisor, value]) => [`${hypervisor}networklabel`, value as string])),
      ...(inputs.vlan ? { vlan: inputs.vlan } : {}),
    });
    return reply.traffictype as Row | undefined;
  },
  shown: (row) => ({
    labels: Object.fromEntries(
      hypervisors.flatMap((hypervisor) => {
        const value = row[`${hypervisor}networklabel`];
        return value ? [[hypervisor, String(value)]] : [];
      }),
    ),
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row) {
    // An empty text clears a label.
    const labels = hypervisors.filter((one) => (inputs.labels[one] ?? "") !== (row[`${one}networklabel`] ?? ""));
    const parameters = Object.fromEntries(labels.map((one) => [`${one}networklabel`, inputs.labels[one] ?? ""]));
    if (labels.length > 0) await cloud.client.changeAndWait("updateTrafficType", { id: row.id, ...parameters });
  },
  async destroy(cloud, _, row) {
    await cloud.client.changeAndWait("deleteTrafficType", { id: row.id });
  },
});
