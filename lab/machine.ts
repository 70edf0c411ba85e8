export type PowerState = "on" | "off";
export type BootDevice = "none" | "pxe" | "disk";

/** What a machine can be told to do wrong; each stays until cleared; those of a boot end when their count is used up. */
export type MachineFault =
  | "stays-on"
  | "ignores"
  | "forgets-boot-device"
  | "bmc-busy"
  | "pxe-lost"
  | "install-hangs"
  | "install-powers-off"
  | "old-disk-boots";

export const machineFaults: readonly MachineFault[] = [
  "stays-on",
  "ignores",
  "forgets-boot-device",
  "bmc-busy",
  "pxe-lost",
  "install-hangs",
  "install-powers-off",
  "old-disk-boots",
];

/** A host as its BMC sees it. */
export interface Machine {
  readonly name: string;
  power(): PowerState;
  bootDevice: BootDevice;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  /** Remaining count per active fault. */
  readonly faults: Map<MachineFault, number>;
}
