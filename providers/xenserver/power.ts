import { type PowerControl, type PowerState, staysOff } from "../installation/index.ts";
import { type Context, TestbedError } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import type { VmRecord } from "./records.ts";

/** Network first at every start: cobbler's boot script then says whether to install or to go on with the disk. */
export const BOOT_ORDER = "nc";

/** What XAPI calls that starts a VM from each of its power states. */
const starts = { Halted: "VM.start", Paused: "VM.unpause", Suspended: "VM.resume" } as const;
const startParameters = { Halted: [false, false], Paused: [], Suspended: [false, false] };

/** How long a guest gets to end by itself before it is switched off. */
const CLEAN_SECONDS = 60;
/** A guest without tools, or one that does not hear the power button, cannot be asked. */
const CANNOT_BE_ASKED = ["VM_LACKS_FEATURE", "VM_LACKS_FEATURE_SHUTDOWN", "VM_MISSING_PV_DRIVERS"];

export interface VmPower extends PowerControl {
  /** Lets the guest end by itself where it can be asked to; switches it off where not. */
  shutDown(): Promise<void>;
}

/** The power of a VM: switched off hard, started by its boot order. */
export function vmPower(context: Context, xapi: Xapi, uuid: string, powerSeconds: number): VmPower {
  const system = xapi.system;
  // References may change, so the uuid is asked each time (xapi facts §1).
  const find = () => xapi.call<string>("VM.get_by_uuid", uuid);
  const stateOf = (ref: string) => xapi.call<VmRecord["power_state"]>("VM.get_power_state", ref);
  const status = () => xapi.step(async (): Promise<PowerState> => ((await stateOf(await find())) === "Halted" ? "off" : "on"));

  async function set(wanted: PowerState): Promise<void> {
    await xapi.step(async () => {
      const ref = await find();
      const state = await stateOf(ref);
      if (state === (wanted === "off" ? "Halted" : "Running")) return;
      context.touched();
      if (wanted === "off" || state === "Running") await xapi.run("VM.hard_shutdown", [ref], powerSeconds).catch(unlessAlready("Halted"));
      else await xapi.run(starts[state], [ref, ...startParameters[state]], powerSeconds).catch(unlessAlready("Running"));
    });
  }

  return {
    system,
    pacingSeconds: 0,
    status,
    set,
    staysOff: () => staysOff(context, { system, pacingSeconds: 0, status }),
    async bootOnceFromNetwork() {
      await xapi.step(async () => {
        const ref = await find();
        const params = await xapi.call<Record<string, string>>("VM.get_HVM_boot_params", ref);
        // The setter replaces the whole map, which also holds the firmware.
        if (params.order !== BOOT_ORDER) await xapi.call("VM.set_HVM_boot_params", ref, { ...params, order: BOOT_ORDER });
      });
    },
    async shutDown() {
      try {
        const ref = await find();
        if ((await stateOf(ref)) === "Running") await xapi.run("VM.clean_shutdown", [ref], Math.min(CLEAN_SECONDS, powerSeconds));
      } catch (error) {
        const expected = error instanceof TestbedError && (error.kind === "timeout" || CANNOT_BE_ASKED.includes(error.code ?? ""));
        if (!expected || context.signal.aborted) throw error;
      }
      await set("off");
    },
  };
}

/** The state may have been reached meanwhile, e.g. by a call whose answer was lost: VM_BAD_POWER_STATE(vm, expected, actual). */
function unlessAlready(goal: string): (error: unknown) => void {
  return (error) => {
    const parameters =
      error instanceof TestbedError && error.code === "VM_BAD_POWER_STATE" ? (error.cause as { parameters?: string[] }) : {};
    if (parameters.parameters?.[2]?.toLowerCase() !== goal.toLowerCase()) throw error;
  };
}
