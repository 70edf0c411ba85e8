import { type Context, limiter, waitFor } from "../kernel/index.ts";

/**
 * Where cobbler owns DHCP every save of a system restarts dnsmasq, and that kills the TFTP transfers that run: a machine in the middle
 * of its kernel then hangs for good (netboot-loop facts §6). So machines are armed one at a time and only while none loads its boot
 * files; machines that are to be armed go before machines that are to be started, so that those of one change set start together.
 */
export class BootGate {
  #toArm = 0;
  #booting = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Runs `save` while no machine loads its boot files. */
  async arm<T>(context: Context, limitSeconds: number, save: () => Promise<T>): Promise<T> {
    this.#toArm++;
    try {
      return await limiter(
        `arming ${this.#name}`,
        1,
      )(async () => {
        await this.#until(context, limitSeconds, () => this.#booting, "machine(s) loading boot files");
        return save();
      });
    } finally {
      this.#toArm--;
    }
  }

  /** Called before power on. The machine counts as loading its boot files until the returned function is called, once or more often. */
  async start(context: Context, limitSeconds: number): Promise<() => void> {
    await this.#until(context, limitSeconds, () => this.#toArm, "machine(s) to be armed first");
    this.#booting++;
    let ended = false;
    return () => {
      if (!ended) this.#booting--;
      ended = true;
    };
  }

  async #until(context: Context, timeoutSeconds: number, count: () => number, what: string): Promise<void> {
    const options = { timeoutSeconds, everySeconds: 0.1, object: context.name, system: this.#name };
    await waitFor(`other machines' network boots`, context, options, async () =>
      count() === 0 ? { done: undefined } : { seen: `${count()} ${what}` },
    );
  }
}

const gates = new Map<string, BootGate>();

/** The gate of one cobbler server, shared by all machines of this process. */
export function bootGate(url: string): BootGate {
  let gate = gates.get(url);
  if (!gate) gates.set(url, (gate = new BootGate(`cobbler ${url}`)));
  return gate;
}
