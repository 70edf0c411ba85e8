import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import type { CobblerConnection } from "./connection.ts";
import { common, objectName, options, textList, textRecord } from "./fields.ts";
import { type ItemOutputs, type ItemShape, observeItem, reconcileItem, removeItem } from "./item.ts";

export interface ProfileInputs {
  server: CobblerConnection;
  name: string;
  adopt: boolean;
  distro: string;
  autoinstall: string;
  kernelOptions: Record<string, string>;
  autoinstallMeta: Record<string, string>;
  repos: string[];
}

const shape: ItemShape<ProfileInputs> = {
  kind: "profile",
  attributes: (inputs) => ({
    distro: inputs.distro,
    autoinstall: inputs.autoinstall,
    kernel_options: inputs.kernelOptions,
    autoinstall_meta: inputs.autoinstallMeta,
    repos: inputs.repos,
  }),
  inputs: (item) => ({
    distro: String(item.distro),
    autoinstall: String(item.autoinstall),
    kernelOptions: textRecord(item.kernel_options),
    autoinstallMeta: textRecord(item.autoinstall_meta),
    repos: textList(item.repos),
  }),
};

export const profile = defineResource<ProfileInputs, ItemOutputs>({
  type: "cobbler:Profile",
  summary: "A way of installing a distro: answer file, kernel options, variables.",
  inputs: z.object({
    ...common,
    distro: objectName.describe("The distro to install."),
    autoinstall: z.string().min(1).describe("Name of the answer-file template."),
    kernelOptions: options.describe("Added to the distro's kernel command line."),
    autoinstallMeta: options.describe("Variables of the answer file."),
    repos: z.array(objectName).default([]).describe("Repositories, by name, that cobbler offers to what is installed."),
  }),
  outputs: { uid: "Cobbler's own id." },
  replaceOn: ["server.url", "name"],
  deadlineSeconds: 300,
  id: (inputs) => `profile/${inputs.name}`,
  observe: (context, inputs) => observeItem(shape, context, inputs),
  reconcile: (context, inputs, observed) => reconcileItem(shape, context, inputs, observed),
  remove: async (context, state) => void (await removeItem("profile", context, state)),
});
