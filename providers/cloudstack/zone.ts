import { z } from "zod";
import { type Mark, markText } from "../kernel/index.ts";
import { type Cloud, MARK_DETAIL, refuseForeignZone, unfinishedName, type ZoneRow } from "./cloud.ts";
import { address, type CloudServer, details, objectName, server } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface ZoneInputs {
  server: CloudServer;
  name: string;
  networkType: "Basic" | "Advanced";
  securityGroups: boolean;
  dns1: string;
  dns2?: string | undefined;
  internalDns1: string;
  internalDns2?: string | undefined;
  domain?: string | undefined;
  guestCidr?: string | undefined;
  localStorage: boolean;
  details: Record<string, string>;
  adopt: boolean;
}

export interface ZoneOutputs {
  id: string;
}

/** Names of the API for what can be changed in place. */
const parameters = {
  dns1: "dns1",
  dns2: "dns2",
  internalDns1: "internaldns1",
  internalDns2: "internaldns2",
  domain: "domain",
  guestCidr: "guestcidraddress",
  localStorage: "localstorageenabled",
} as const;

/** Details as `updateZone` takes them; it adds and replaces, and removes none. */
export function detailParameters(wanted: Record<string, string>): Record<string, string> {
  const entries = Object.entries(wanted).map(([key, value], index) => [
    [`details[${index}].key`, key],
    [`details[${index}].value`, value],
  ]);
  return Object.fromEntries(entries.flat()) as Record<string, string>;
}

const marked = (mark: Mark, wanted: Record<string, string>) => detailParameters({ ...wanted, [MARK_DETAIL]: markText(mark) });

function valuesOf(inputs: ZoneInputs, keys: Iterable<keyof typeof parameters>): Record<string, string> {
  return Object.fromEntries([...keys].map((key) => [parameters[key], String(inputs[key] ?? "")]));
}

const isFinished = (row: ZoneRow, { name }: ZoneInputs) => row.name === name && row.resourcedetails?.[MARK_DETAIL] !== undefined;

/** Name and mark in one call: there is no moment in which the zone has its name and nobody's mark. */
async function finish(cloud: Cloud, inputs: ZoneInputs, id: string): Promise<void> {
  await cloud.client.set("updateZone", { id, name: inputs.name, ...marked(cloud.context.mark, inputs.details) });
}

export const zone = defineCloudObject<ZoneInputs, ZoneOutputs, ZoneRow>({
  type: "cloudstack:Zone",
  summary: "A zone, marked as this stack's in its details; everything in it is then this stack's too.",
  inputs: z.object({
    ...server,
    name: objectName.describe("Its name; unique on the server, letter case ignored."),
    networkType: z.enum(["Basic", "Advanced"]).describe("Kind of its networks."),
    securityGroups: z.boolean().default(false).describe("Whether security groups separate the guests of an advanced zone."),
    dns1: address.describe("DNS server of the guests."),
    dns2: address.optional().describe("Second DNS server of the guests."),
    internalDns1: address.describe("DNS server of the system VMs and hosts."),
    internalDns2: address.optional().describe("Second DNS server of the system VMs and hosts."),
    domain: z.string().min(1).optional().describe("Network domain of the guests."),
    guestCidr: z
      .cidrv4("must be a network like 10.1.1.0/24")
      .optional()
      .describe("Network of isolated guest networks; advanced zones without security groups only."),
    localStorage: z.boolean().default(false).describe("Whether hosts' own disks may serve as primary storage."),
    details: details.describe("Details of the zone. One that is left out later stays: the server removes none."),
    adopt: z.boolean().default(false).describe("Take over a zone of this name that carries nobody's mark, with everything in it."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["name", "networkType", "securityGroups"],
  id: (inputs) => `zone/${inputs.name}`,
  title: (inputs) => `zone ${inputs.name}`,
  find: (cloud, inputs) => cloud.lookUpZone(inputs.name),
  async refuse(cloud, inputs, row) {
    if (row) refuseForeignZone(cloud, row, inputs.adopt);
  },
  async create(cloud, inputs) {
    const { context, client } = cloud;
    const given = (Object.keys(parameters) as (keyof typeof parameters)[]).filter((key) => inputs[key] !== undefined);
    const reply = await client.change("createZone", {
      name: unfinishedName(inputs.name, context.mark),
      networktype: inputs.networkType,
      ...valuesOf(inputs, given),
      ...(inputs.networkType === "Advanced" ? { securitygroupenabled: String(inputs.securityGroups) } : {}),
    });
    return reply.zone as ZoneRow;
  },
  shown: (row, inputs) => ({
    name: isFinished(row, inputs) ? row.name : "",
    dns1: row.dns1,
    dns2: row.dns2 || undefined,
    internalDns1: row.internaldns1,
    internalDns2: row.internaldns2 || undefined,
    domain: row.domain || undefined,
    // The server fills in its own network where none was given.
    ...(inputs.guestCidr === undefined ? {} : { guestCidr: row.guestcidraddress }),
    localStorage: row.localstorageenabled ?? false,
    details: Object.fromEntries(Object.keys(inputs.details).map((key) => [key, row.resourcedetails?.[key] ?? ""])),
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    const changed = (Object.keys(parameters) as (keyof typeof parameters)[]).filter((key) => differing.has(key));
    if (changed.length > 0) await cloud.client.set("updateZone", { id: row.id, ...valuesOf(inputs, changed) });
    if (differing.has("name") || differing.has("details")) await finish(cloud, inputs, row.id);
    cloud.forget("zone", inputs.name);
  },
  async settle(cloud, inputs, row) {
    cloud.know("zone", inputs.name, row);
    return row;
  },
  async destroy(cloud, state, row) {
    await cloud.client.change("deleteZone", { id: row.id });
    cloud.forget("zone", state.name);
  },
});
