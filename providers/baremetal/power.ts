import { type Context, retry, TestbedError, waitFor } from "../kernel/index.ts";
import { type IpmiTarget, ipmitool } from "../transport/ipmitool.ts";

export type PowerState = "on" | "off";

/** What a machine's management controller can do. IPMI implements it; Redfish is one more file. */
export interface PowerControl {
  readonly system: string;
  status(): Promise<PowerState>;
  /** Returns when the machine is confirmed to be in the state. */
  set(state: PowerState): Promise<void>;
  /** The next start, and only that, boots from the network. */
  bootOnceFromNetwork(): Promise<void>;
}

/** Seconds a power change may take until the BMC reports it (ironic's power_state_change_timeout). */
const POWER_SECONDS = 60;

export function ipmiPower(context: Context, target: IpmiTarget): PowerControl {
  const system = `BMC ${target.address}`;
  const command = (...words: string[]) => retry(context.signal, () => ipmitool(target, words));

  async function status(): Promise<PowerState> {
    const text = await command("chassis", "power", "status");
    const found = /Chassis Power is (on|off)/.exec(text);
    if (!found)
      throw new TestbedError({
        system,
        object: "power status",
        kind: "refused",
        message: `unexpected answer ${JSON.stringify(text.trim())}`,
      });
    return found[1] as PowerState;
  }

  return {
    system,
    status,
    async set(state) {
      // Some BMCs refuse `off` when off and `on` when on: an equal state is success.
      if ((await status()) === state) return;
      context.touched();
      await command("chassis", "power", state);
      await waitFor(
        `power ${state}`,
        context,
        { timeoutSeconds: POWER_SECONDS, everySeconds: Math.max(0.2, target.pacingSeconds), object: "power", system },
        async () => {
          const seen = await status();
          return seen === state ? { done: undefined } : { seen: `power is ${seen}` };
        },
      );
    },
    async bootOnceFromNetwork() {
      // By the specification a BMC forgets the device 60 s after it was set: callers set it right before they power on.
      const answer = await command("chassis", "bootdev", "pxe");
      if (!answer.includes("Set Boot Device to pxe")) {
        throw new TestbedError({
          system,
          object: "boot device",
          kind: "refused",
          message: `expected "Set Boot Device to pxe", seen ${JSON.stringify(answer.trim())}`,
        });
      }
    },
  };
}
