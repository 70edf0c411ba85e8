import { z } from "zod";
import { type InstallationInputs, type InstallationOutputs, installationInputs, installationOutputs } from "../installation/index.ts";
import { connectionSchema, type XenServerConnection } from "./connection.ts";

export interface VirtualMachineInputs extends InstallationInputs {
  server: XenServerConnection;
  template: string;
  bridge: string;
  storage?: string | undefined;
  memoryMiB: number;
  cpus: number;
  diskGiB: number;
  firmware: "bios" | "uefi";
  powerSeconds: number;
}

export interface VirtualMachineOutputs extends InstallationOutputs {
  uuid: string;
}

export const virtualMachineInputs = z.object({
  ...installationInputs,
  server: connectionSchema.describe("The XenServer or XCP-ng that it runs on."),
  template: z
    .string()
    .default("Other install media")
    .describe("Name or uuid of the template it is made from; a localised server has another name for it."),
  bridge: z.string().min(1).default("xenbr0").describe("Bridge of the network that its interface is in."),
  storage: z
    .string()
    .min(1)
    .optional()
    .describe("Name or uuid of the storage repository of its disk; by default the pool's default one. It says only where a disk is made."),
  memoryMiB: z.number().int().positive().describe("Memory in MiB. A change restarts the VM."),
  cpus: z.number().int().positive().default(1).describe("Virtual CPUs. A change restarts the VM."),
  diskGiB: z
    .number()
    .positive()
    .describe("Size of its disk in GiB. It can grow, which restarts the VM; it is made smaller by a new installation only."),
  firmware: z.enum(["bios", "uefi"]).default("bios").describe("How it boots; a change counts from the next installation on."),
  powerSeconds: z.number().positive().default(120).describe("Limit of one start or shutdown, and of any other task of the server."),
});

export const virtualMachineOutputs: Record<keyof VirtualMachineOutputs, string> = {
  ...installationOutputs,
  uuid: "The VM's uuid.",
};
