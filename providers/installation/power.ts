export type PowerState = "on" | "off";

/** How a machine is switched: by a management controller over IPMI (Redfish is one more file), or by a hypervisor's API. */
export interface PowerControl {
  readonly system: string;
  /** Seconds that must lie between two commands. */
  readonly pacingSeconds: number;
  status(): Promise<PowerState>;
  /** Returns when the machine is confirmed to be in the state. */
  set(state: PowerState): Promise<void>;
  /** True when the machine is off and stays off: a BMC may misreport once, and a machine that reboots may be off for a moment. */
  staysOff(): Promise<boolean>;
  /** The next start boots from the network. Call it right before the machine is powered on. */
  bootOnceFromNetwork(): Promise<void>;
}
