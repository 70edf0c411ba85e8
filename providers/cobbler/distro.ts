import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import type { CobblerConnection } from "./connection.ts";
import { common, options, textList, textRecord } from "./fields.ts";
import { type ItemOutputs, type ItemShape, observeItem, reconcileItem, removeItem } from "./item.ts";

export interface DistroInputs {
  server: CobblerConnection;
  name: string;
  adopt: boolean;
  breed: string;
  osVersion: string;
  arch: string;
  kernel: string;
  initrd: string;
  bootLoaders: string[];
  kernelOptions: Record<string, string>;
}

const shape: ItemShape<DistroInputs> = {
  kind: "distro",
  // The breed before the version: cobbler looks the version up in the breed.
  attributes: (inputs) => ({
    breed: inputs.breed,
    os_version: inputs.osVersion,
    arch: inputs.arch,
    kernel: inputs.kernel,
    initrd: inputs.initrd,
    boot_loaders: inputs.bootLoaders,
    kernel_options: inputs.kernelOptions,
  }),
  inputs: (item) => ({
    breed: String(item.breed),
    osVersion: String(item.os_version),
    arch: String(item.arch),
    kernel: String(item.kernel),
    initrd: String(item.initrd),
    bootLoaders: textList(item.boot_loaders),
    kernelOptions: textRecord(item.kernel_options),
  }),
};

export const distro = defineResource<DistroInputs, ItemOutputs>({
  type: "cobbler:Distro",
  summary: "Something that can be installed: a kernel and an initrd on the cobbler server.",
  inputs: z.object({
    ...common,
    breed: z.string().describe("Family of the system as cobbler calls it: `redhat`, `debian`, `ubuntu`, `xen`, …"),
    osVersion: z.string().describe("Version as in cobbler's signatures, e.g. `rhel8`."),
    arch: z
      .enum(["x86_64", "i386", "aarch64", "ppc64le"])
      .default("x86_64")
      .describe("Architecture in cobbler's spelling; it refuses `amd64`."),
    kernel: z.string().startsWith("/", "must be an absolute path on the cobbler server").describe("Kernel file on the cobbler server."),
    initrd: z.string().startsWith("/", "must be an absolute path on the cobbler server").describe("Initrd file on the cobbler server."),
    bootLoaders: z
      .array(z.enum(["grub", "pxe", "ipxe"]))
      .min(1)
      .default(["grub", "pxe", "ipxe"])
      .describe("Boot loaders to write entries for."),
    kernelOptions: options.describe("Kernel command line of the installer."),
  }),
  outputs: { uid: "Cobbler's own id." },
  replaceOn: ["server.url", "name"],
  deadlineSeconds: 300,
  id: (inputs) => `distro/${inputs.name}`,
  observe: (context, inputs) => observeItem(shape, context, inputs),
  reconcile: (context, inputs, observed) => reconcileItem(shape, context, inputs, observed),
  remove: async (context, state) => void (await removeItem("distro", context, state)),
});
