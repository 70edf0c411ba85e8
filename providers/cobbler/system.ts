import { z } from "zod";
import { type Context, defineResource, TestbedError } from "../kernel/index.ts";
import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import { CobblerClient, type CobblerConnection, type Item } from "./client.ts";
import { sameValue } from "./compare.ts";
import { common, objectName, options, textList, textRecord } from "./fields.ts";
import { installVariables } from "./install.ts";
import { type ItemOutputs, type ItemShape, observeItem, reconcileItem, removeItem } from "./item.ts";

export interface SystemInterface {
  name: string;
  mac: string;
  address: string;
  netmask: string;
  dnsName: string;
}

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

type ServerInterfaces = Record<string, Record<string, XmlRpcValue>>;

/** The variables of one installation belong to the machine that installs, not to the definition of the system. */
function withoutInstall(meta: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => !installVariables.includes(key)));
}

function onlyInstall(meta: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => installVariables.includes(key)));
}

/** What must be written for the server to have exactly the wanted interfaces: those it should not have go first. */
function interfaceEdits(wanted: readonly SystemInterface[], item: Item | undefined): [string, XmlRpcValue][] {
  const present = (item?.interfaces ?? {}) as ServerInterfaces;
  const extra = Object.keys(present).filter((name) => !wanted.some((nic) => nic.name === name));
  const changes: Record<string, XmlRpcValue> = {};
  for (const nic of wanted) {
    const now = present[nic.name] ?? {};
    const fields: [string, string, XmlRpcValue][] = [
      ["macaddress", "mac_address", nic.mac],
      ["ipaddress", "ip_address", nic.address],
      ["netmask", "netmask", nic.netmask],
      ["dnsname", "dns_name", nic.dnsName],
      ["static", "static", true],
    ];
    // Cobbler's write form: `field-interface` keys (cobbler facts §7).
    for (const [write, read, value] of fields) if (!sameValue(value, now[read])) changes[`${write}-${nic.name}`] = value;
  }
  return [
    ...extra.map((name): [string, XmlRpcValue] => ["delete_interface", name]),
    ...(Object.keys(changes).length > 0 ? [["modify_interface", changes] as [string, XmlRpcValue]] : []),
  ];
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
    interfaces: observedInterfaces((item.interfaces ?? {}) as ServerInterfaces, inputs.interfaces),
  }),
};

/** In the order of the inputs, so that only a real difference shows. */
function observedInterfaces(present: ServerInterfaces, wanted: readonly SystemInterface[]): SystemInterface[] {
  const order = wanted.map((nic) => nic.name).filter((name) => name in present);
  const names = [...order, ...Object.keys(present).filter((name) => !order.includes(name))];
  return names.map((name) => {
    const nic = present[name] ?? {};
    return {
      name,
      mac: String(nic.mac_address),
      address: String(nic.ip_address),
      netmask: String(nic.netmask),
      dnsName: String(nic.dns_name),
    };
  });
}

/** Cobbler checks duplicates only against saved systems, and races let two through: they are looked for before the write. */
async function refuseDuplicates(context: Context, inputs: SystemInputs): Promise<void> {
  const client = new CobblerClient(context, inputs.server);
  for (const nic of inputs.interfaces) {
    for (const [field, value] of [
      ["mac_address", nic.mac],
      ["ip_address", nic.address],
      ["dns_name", nic.dnsName],
    ] as const) {
      const other = (await client.find("system", { [field]: value })).find((name) => name !== inputs.name);
      if (!other) continue;
      throw new TestbedError({
        system: client.system,
        object: `system ${inputs.name}`,
        kind: "conflict",
        code: "duplicate",
        message: `${field} ${value} is in use by the system ${other}`,
        remedy: `remove ${other} in cobbler, or correct the inventory`,
      });
    }
  }
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
    interfaces: z
      .array(
        z.object({
          name: z.string().regex(/^[A-Za-z0-9_.-]+$/),
          mac: z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be six lower-case hexadecimal bytes with colons"),
          address: z.ipv4(),
          netmask: z.ipv4(),
          dnsName: z.hostname(),
        }),
      )
      .min(1)
      .describe("Network interfaces; the first is the one that boots."),
  }),
  outputs: { uid: "Cobbler's own id." },
  replaceOn: ["name"],
  deadlineSeconds: 300,
  id: (inputs) => `system/${inputs.name}`,
  observe: (context, inputs) => observeItem(shape, context, inputs),
  async reconcile(context, inputs) {
    await refuseDuplicates(context, inputs);
    return reconcileItem(shape, context, inputs);
  },
  async remove(context, state) {
    if (!(await removeItem("system", context, state))) return;
    const client = new CobblerClient(context, state.server);
    const { manage_dhcp: dhcp, manage_dns: dns } = await client.settings();
    // Only then does a removal leave anything behind: DHCP and DNS entries stay until the next sync (cobbler facts §9).
    if (dhcp || dns) await client.sync();
  },
});
