import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineKind } from "./machine.ts";

/** Through what machines boot: the network card's iPXE over HTTP, or pxelinux over TFTP, which is what older sites have. */
export const netboots = ["ipxe", "pxelinux"] as const;
export type Netboot = (typeof netboots)[number];

/** What a lab keeps from its first start on: its disks belong to it. */
export interface LabSettings {
  site: string;
  machines: MachineKind;
  /** How many of the site's machines it plays; undefined means all. */
  hostCount?: number;
  netboot: Netboot;
}

/**
 * The settings that a lab has, made from the wishes at its first start. A wish that differs from what it has is refused: light hosts and
 * QEMU hosts do not share disks, and the stacks would take blank disks for installed ones.
 */
export function labSettings(state: string, site: string, wishes: Partial<LabSettings>): LabSettings {
  const file = join(state, "settings.json");
  const wanted = Object.entries(wishes).filter(([, value]) => value !== undefined);
  if (!existsSync(file)) {
    const settings: LabSettings = { machines: "qemu", netboot: "ipxe", ...Object.fromEntries(wanted), site };
    mkdirSync(state, { recursive: true });
    writeFileSync(file, `${JSON.stringify(settings)}\n`);
    return settings;
  }
  const settings = JSON.parse(readFileSync(file, "utf8")) as LabSettings;
  for (const [name, value] of [...wanted, ["site", site] as const]) {
    const has = settings[name as keyof LabSettings];
    if (has !== value)
      throw new Error(
        `the lab in ${state} was started with ${name} ${has ?? "of the whole site"}, not ${value}. ` +
          "Its disks and the stacks' states belong to that: destroy the stacks, then `testbed lab reset`, or use another --state.",
      );
  }
  return settings;
}
