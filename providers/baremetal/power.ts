import { type PowerControl, type PowerState, staysOff } from "../installation/index.ts";
import { type Context, retry, TestbedError, waitFor } from "../kernel/index.ts";
import { bmcName, type IpmiTarget, ipmitool } from "../transport/ipmitool.ts";

/** `powerSeconds`: as long a BMC that is busy or silent is asked again, and a power change may take until the BMC reports it. */
export function ipmiPower(context: Context, target: IpmiTarget, powerSeconds: number): PowerControl {
  const system = bmcName(target);
  const command = (...words: string[]) => retry(context.signal, () => ipmitool(target, words), powerSeconds);

  async function status(): Promise<PowerState> {
    const text = await command("chassis", "power", "status");
    const found = /Chassis Power is (on|off)/.exec(text);
    if (!found)
      throw new TestbedError({
        system,
        object: "power status",
        kind: "refused",
        message: `expected "Chassis Power is on" or "off", seen ${JSON.stringify(text.trim())}`,
        remedy: "see the BMC's own log",
      });
    return found[1] as PowerState;
  }

  return {
    system,
    pacingSeconds: target.pacingSeconds,
    status,
    async set(state) {
      // Some BMCs refuse `off` when off and `on` when on: an equal state is success.
      if ((await status()) === state) return;
      context.touched();
      await command("chassis", "power", state);
      await waitFor(
        `power ${state}`,
        context,
        {
          timeoutSeconds: powerSeconds,
          everySeconds: Math.max(0.2, target.pacingSeconds),
          object: "power",
          system,
          remedy: `the BMC accepts the command and does not do it: reset the BMC (\`ipmitool mc reset cold\`) or switch the machine by hand, then run \`pulumi up\` again`,
        },
        async () => {
          const seen = await status();
          return seen === state ? { done: undefined } : { seen: `power is ${seen}` };
        },
      );
    },
    staysOff: () => staysOff(context, { system, pacingSeconds: target.pacingSeconds, status }),
    async bootOnceFromNetwork() {
      // By the specification a BMC forgets the device 60 s after it was set.
      const answer = await command("chassis", "bootdev", "pxe");
      if (!answer.includes("Set Boot Device to pxe")) {
        throw new TestbedError({
          system,
          object: "boot device",
          kind: "refused",
          message: `expected "Set Boot Device to pxe", seen ${JSON.stringify(answer.trim())}`,
          remedy: "see the BMC's own log",
        });
      }
      await warnUnlessPxe();
    },
  };

  /** Informative only: vendors return other values, and some do not let it be read at all (bmc facts §4). */
  async function warnUnlessPxe(): Promise<void> {
    const seen = await command("chassis", "bootparam", "get", "5").then(
      (text) => /Boot Device Selector : (.*)/.exec(text)?.[1]?.trim() ?? "no boot device",
      (error: unknown) => {
        if (error instanceof TestbedError && error.kind === "refused") return undefined;
        throw error;
      },
    );
    if (seen !== undefined && !/PXE/i.test(seen))
      context.warn(
        `${system} accepted PXE as next boot device but shows "${seen}"; some misreport it, so the machine is started all the same`,
      );
  }
}
