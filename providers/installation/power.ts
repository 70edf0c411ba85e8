import { type Context, waitFor } from "../kernel/index.ts";

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

/** So many readings in a row make "off" certain. */
const OFF_READINGS = 3;

/** Reads the power until it is on, or off for certain. @returns whether it is off */
export function staysOff(context: Context, power: Pick<PowerControl, "system" | "pacingSeconds" | "status">): Promise<boolean> {
  const everySeconds = Math.max(0.5, power.pacingSeconds);
  let readings = 0;
  const options = { timeoutSeconds: 60 + OFF_READINGS * everySeconds, everySeconds, object: "power", system: power.system };
  return waitFor<boolean>("power to be on again, or off for certain", context, options, async () => {
    if ((await power.status()) === "on") return { done: false };
    readings++;
    return readings === OFF_READINGS ? { done: true } : { seen: `power is off, read ${readings} times` };
  });
}
