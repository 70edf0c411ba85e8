import { z } from "zod";
import { type Context, defineResource, TestbedError } from "../kernel/index.ts";
import { CobblerClient } from "./client.ts";
import type { CobblerConnection } from "./connection.ts";
import { common, objectName, options, textList, textRecord } from "./fields.ts";
import { installVariables } from "./install.ts";
import { interfaceEdits, interfacesSchema, observedInterfaces, type SystemInterface } from "./interfaces.ts";
import { type ItemOutputs, type ItemShape, observeItem, reconcileItem, removeItem } from "./item.ts";

export interface SystemInputs {
  server: CobblerConnection;
  name: string;
  adopt: boolean;
  profile: string;
  hostname: string;
  gateway: string;
  nameServers: string[];
  kernelOptions: Record<string, string>;
  autoinstallMeta: Record<string, string>;
  interfaces: SystemInterface[];
}

/** The variables of one installation belong to the machine that installs, not to the definition of the system. */
function withoutInstall(meta: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => !installVariables.includes(key)));
}

function onlyInstall(meta: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => installVariables.includes(key)));
}

const shape: ItemShape<SystemInputs> = {
  kind: "system",
  attributes: (inputs, item) => ({
    profile: inputs.profile,
    hostname: inputs.hostname,
    gateway: inputs.gateway,
    name_servers: inputs.nameServers,
    kernel_options: inputs.kernelOptions,
    autoinstall_meta: { ...onlyInstall(textRecord(item?.autoinstall_meta)), ...inputs.autoinstallMeta },
  }),
  edits: (inputs, item) => interfaceEdits(inputs.interfaces, item),
  inputs: (item, inputs) => ({
    profile: String(item.profile),
    hostname: String(item.hostname),
    gateway: String(item.gateway),
    nameServers: textList(item.name_servers),
    kernelOptions: textRecord(item.kernel_options),
    autoinstallMeta: withoutInstall(textRecord(item.autoinstall_meta)),
    interfaces: observedInterfaces(item, inputs.interfaces),
  }),
};

/** Cobbler never compares host names, the rest only with saved systems, and races let two through: all are looked for before the write. */
async function refuseDuplicates(context: Context, inputs: SystemInputs): Promise<void> {
  const client = new CobblerClient(context, inputs.server);
  const claims = [
    ["hostname", inputs.hostname],
    ...inputs.interfaces.flatMap((nic) => [
      ["mac_address", nic.mac],
      ["ip_address", nic.address],
      ["dns_name", nic.dnsName],
    ]),
  ] as [string, string | undefined][];
  const taken: string[] = [];
  for (const [field, value] of claims) {
    const other = value ? (await client.find("system", { [field]: value })).find((name) => name !== inputs.name) : undefined;
    if (other) taken.push(`${field} ${value} is in use by the system ${other}`);
  }
  if (taken.length === 0) return;
  throw new TestbedError({
    system: client.system,
    object: `system ${inputs.name}`,
    kind: "conflict",
    code: "duplicate",
    message: taken.join("; "),
    remedy: "remove the other system in cobbler, or correct the inventory",
  });
}

export const system = defineResource<SystemInputs, ItemOutputs>({
  type: "cobbler:System",
  summary: "One machine as cobbler installs it.",
  inputs: z.object({
    ...common,
    profile: objectName.describe("The profile to install."),
    hostname: z.hostname().describe("Fully qualified host name."),
    gateway: z.ipv4().describe("Default gateway."),
    nameServers: z.array(z.ipv4()).default([]).describe("Name servers."),
    kernelOptions: options.describe("Added to the profile's kernel command line."),
    autoinstallMeta: options.describe("Variables of the answer file, merged over the profile's."),
    interfaces: interfacesSchema.describe(
      "Network interfaces: `name`, `mac`, `address`, `netmask`, `dnsName`, and for bonds and bridges `type`, `master`, `bondingOptions`, `bridgeOptions`. The first with a MAC is the one that boots.",
    ),
  }),
  outputs: { uid: "Cobbler's own id." },
  replaceOn: ["server.url", "name"],
  deadlineSeconds: 300,
  id: (inputs) => `system/${inputs.name}`,
  observe: (context, inputs) => observeItem(shape, context, inputs),
  async reconcile(context, inputs) {
    await refuseDuplicates(context, inputs);
    return reconcileItem(shape, context, inputs);
  },
  async remove(context, state) {
    if ((await removeItem("system", context, state)) === "foreign") return;
    const client = new CobblerClient(context, state.server);
    const { manage_dhcp: dhcp, manage_dns: dns } = await client.settings();
    // Only then does a removal leave anything behind: DHCP and DNS entries stay until the next sync (cobbler facts §9). An absent
    // system counts too: the sync of an earlier removal may have failed.
    if (dhcp || dns) await client.sync();
  },
});
