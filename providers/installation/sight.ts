import { type InstallState, installState } from "../cobbler/index.ts";
import { type Context, errorText, retry, TestbedError } from "../kernel/index.ts";
import { type DriverLogs, type NetworkBoot, nothingKnown } from "./driver-logs.ts";
import type { PowerControl } from "./power.ts";
import type { Identity } from "./proof.ts";
import { type InstallationInputs, identityOf } from "./wanted.ts";

/** Everything that can be seen of one installation at one moment. */
export interface Sight {
  /** Whether the next network boot would start the installer: cobbler switches it off when an installer says that it is done. */
  netboot: boolean;
  /** Whether this installation's installer told cobbler that it began. */
  reported: boolean;
  boot: NetworkBoot;
  /** Off, and read more than once. */
  off: boolean;
  identity?: Identity;
  /** What SSH gave instead of an identity. */
  refusal?: { code: string; text: string };
}

/**
 * The logs are read, and the BMC asked, less often than SSH is tried: each look at them is a command on the driver or the BMC. The longer
 * an installation takes the less often, up to the second figure.
 */
const LOGS_SECONDS = [1, 4] as const;
const POWER_SECONDS = [2, 6] as const;

/** Looks at a machine that installs, from all sides at once. */
export class Observer {
  readonly #context: Context;
  readonly #inputs: InstallationInputs;
  readonly #power: PowerControl;
  readonly #logs: DriverLogs;
  /** When cobbler saw the last installer begin before this one: by its own clock, which is not ours. */
  readonly #startedBefore: number | undefined;
  #boot = nothingKnown;
  #nextLogs = 0;
  #nextPower = 0;
  readonly #began = performance.now();

  constructor(context: Context, inputs: InstallationInputs, power: PowerControl, logs: DriverLogs, before: InstallState | undefined) {
    this.#context = context;
    this.#inputs = inputs;
    this.#power = power;
    this.#logs = logs;
    this.#startedBefore = before?.started;
  }

  async look(): Promise<Sight> {
    const { cobbler, system } = this.#inputs;
    const [state, ssh, boot, off] = await Promise.all([
      // A cobblerd that restarts meanwhile is no reason to give up on the machine.
      retry(this.#context.signal, () => installState(this.#context, cobbler, system)),
      this.#ssh(),
      this.#lookAtLogs(),
      this.#lookAtPower(),
    ]);
    return {
      netboot: state?.netbootEnabled ?? false,
      reported: state?.started !== undefined && state.started !== this.#startedBefore,
      boot,
      off,
      ...ssh,
    };
  }

  async #ssh(): Promise<Pick<Sight, "identity" | "refusal">> {
    try {
      return { identity: await identityOf(this.#context, this.#inputs) };
    } catch (error) {
      return { refusal: { code: error instanceof TestbedError ? (error.code ?? error.kind) : "failed", text: errorText(error) } };
    }
  }

  async #lookAtLogs(): Promise<NetworkBoot> {
    // Once the answer file is fetched the logs have nothing more to tell.
    if (this.#boot.answerFile === "fetched" || performance.now() < this.#nextLogs) return this.#boot;
    this.#nextLogs = this.#after(LOGS_SECONDS);
    this.#boot = await this.#logs.look();
    return this.#boot;
  }

  async #lookAtPower(): Promise<boolean> {
    if (performance.now() < this.#nextPower) return false;
    const off = (await this.#power.status()) === "off" && (await this.#power.staysOff());
    this.#nextPower = Math.max(this.#after(POWER_SECONDS), performance.now() + 2000 * this.#power.pacingSeconds);
    return off;
  }

  /** When to look again: after a tenth of the time so far, within the bounds. */
  #after([least, most]: readonly [number, number]): number {
    const now = performance.now();
    return now + Math.min(most, Math.max(least, (now - this.#began) / 10_000)) * 1000;
  }
}

/** Whether anything shows that the installer was reached. */
export function reachedInstaller(sight: Sight): boolean {
  return sight.reported || !sight.netboot || sight.boot.answerFile === "fetched";
}

export function phaseOf(sight: Sight): string {
  if (!sight.netboot) return "rebooting";
  if (sight.reported) return "installing";
  if (sight.boot.answerFile === "fetched") return "answer file fetched";
  if (sight.boot.dhcp === "answered") return "DHCP answered";
  return sight.boot.dhcp === "asked" ? "DHCP asked" : "network boot";
}
