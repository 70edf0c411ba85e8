import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import { CobblerClient } from "./client.ts";
import type { CobblerConnection } from "./connection.ts";
import { refuseDuplicates, rememberClaims } from "./duplicates.ts";
import { common, objectName, options, textList, textRecord } from "./fields.ts";
import { installVariables } from "./install.ts";
import { interfaceEdits, interfacesSchema, observedInterfaces, type SystemInterface } from "./interfaces.ts";
import { type ItemOutputs, type ItemShape, observeItem, reconcileItem, removeItem } from "./item.ts";
import { syncRemovals } from "./strays.ts";

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
  beforeSave: (client, inputs, item) => refuseDuplicates(client, inputs, item),
  afterSave: (client, inputs) => rememberClaims(client, inputs),
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
  reconcile: (context, inputs, observed) => reconcileItem(shape, context, inputs, observed),
  async remove(context, state) {
    if ((await removeItem("system", context, state)) === "foreign") return;
    // An absent system counts too: the sync of an earlier removal may have failed.
    await syncRemovals(new CobblerClient(context, state.server));
  },
});
