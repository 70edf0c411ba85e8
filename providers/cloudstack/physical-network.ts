import { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { allocation, type CloudServer, objectName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface PhysicalNetworkInputs {
  server: CloudServer;
  zone: string;
  name: string;
  isolationMethods: string[];
  vlan?: string | undefined;
  tags: string[];
  broadcastDomainRange?: "ZONE" | "POD" | undefined;
  state: "Enabled" | "Disabled";
}

export interface PhysicalNetworkOutputs {
  id: string;
}

interface Row {
  id: string;
  name: string;
  state: string;
  vlan?: string;
  tags?: string;
  isolationmethods?: string;
}

const list = (text: string | undefined) =>
  (text ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

/** The ranges in order, each as `100-200`; a single one as the server writes it, `300-300`. */
export function vlanRanges(text: string | undefined): string | undefined {
  const ranges = list(text).map((one) => {
    const [from = "", to = from] = one.split("-");
    return { from: Number(from), text: `${from}-${to}` };
  });
  return (
    ranges
      .sort((one, other) => one.from - other.from)
      .map((one) => one.text)
      .join(",") || undefined
  );
}

/** A physical network can only be added while its zone is not enabled; what runs there goes on running. */
async function whileDisabled<T>(cloud: Cloud, zoneName: string, work: () => Promise<T>): Promise<T> {
  const zone = await cloud.lookUpZone(zoneName);
  if (zone?.allocationstate !== "Enabled") return work();
  const set = (allocationstate: string) => cloud.client.set("updateZone", { id: zone.id, allocationstate });
  cloud.context.phase("switching the zone off for a moment");
  await set("Disabled");
  try {
    return await work();
  } finally {
    await set("Enabled");
  }
}

export const physicalNetwork = defineCloudObject<PhysicalNetworkInputs, PhysicalNetworkOutputs, Row>({
  type: "cloudstack:PhysicalNetwork",
  summary: "A physical network of a zone, with its guest VLANs, enabled.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    name: objectName.describe("Its name."),
    isolationMethods: z
      .array(z.string().min(1))
      .max(1, "the server takes one")
      .default([])
      .describe("How guest networks are kept apart: `VLAN`, `VXLAN`, `GRE`, `STT`, `L3` ..."),
    vlan: z
      .string()
      .regex(/^\d+(-\d+)?(,\s*\d+(-\d+)?)*$/, "must be VLANs like `100-200,300-310`")
      .optional()
      .describe("VLANs of guest networks. A change replaces all ranges; one with a VLAN in use cannot go. Not in basic zones."),
    tags: z
      .array(z.string().min(1))
      .max(1, "the server takes one")
      .default([])
      .describe("Its tag, by which network offerings choose it: needed where two networks of a zone carry guest traffic."),
    broadcastDomainRange: z
      .enum(["ZONE", "POD"])
      .optional()
      .describe("`POD` in basic zones, `ZONE` in advanced ones. Left out, the server decides."),
    state: allocation.describe("Whether it is in use."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "name", "isolationMethods", "broadcastDomainRange"],
  id: (inputs) => `physical-network/${inputs.zone}/${inputs.name}`,
  title: (inputs) => `physical network ${inputs.name} of zone ${inputs.zone}`,
  async find(cloud, inputs) {
    const zoneid = (await cloud.zone(inputs.zone)).id;
    const rows = await cloud.client.list<Row>("listPhysicalNetworks", "physicalnetwork", { zoneid });
    return rows.find((one) => one.name === inputs.name);
  },
  async create(cloud, inputs) {
    const parameters = {
      zoneid: await cloud.ownedZone(inputs.zone),
      name: inputs.name,
      ...(inputs.isolationMethods.length > 0 ? { isolationmethods: inputs.isolationMethods.join(",") } : {}),
      ...(inputs.vlan ? { vlan: inputs.vlan.replaceAll(" ", "") } : {}),
      ...(inputs.tags.length > 0 ? { tags: inputs.tags.join(",") } : {}),
      ...(inputs.broadcastDomainRange ? { broadcastdomainrange: inputs.broadcastDomainRange } : {}),
    };
    const reply = await whileDisabled(cloud, inputs.zone, () => cloud.client.changeAndWait("createPhysicalNetwork", parameters));
    return reply.physicalnetwork as Row | undefined;
  },
  shown: (row, inputs) => ({
    // As it was written, where it means the same.
    vlan: vlanRanges(row.vlan) === vlanRanges(inputs.vlan) ? inputs.vlan : row.vlan,
    tags: list(row.tags),
    state: row.state as PhysicalNetworkInputs["state"],
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    await cloud.client.changeAndWait("updatePhysicalNetwork", {
      id: row.id,
      ...(differing.has("state") ? { state: inputs.state } : {}),
      // An empty text means no VLAN at all.
      ...(differing.has("vlan") ? { vlan: (inputs.vlan ?? "").replaceAll(" ", "") } : {}),
      ...(differing.has("tags") ? { tags: inputs.tags.join(",") } : {}),
    });
  },
  async settle(cloud, inputs, row) {
    cloud.know("physical network", `${inputs.zone}/${inputs.name}`, row);
    return row;
  },
  /** Its providers, traffic types and VLANs go with it. */
  async destroy(cloud, state, row) {
    await cloud.client.changeAndWait("deletePhysicalNetwork", { id: row.id });
    cloud.forget("physical network", `${state.zone}/${state.name}`);
  },
});
