import { type Context, errorText, TestbedError } from "../kernel/index.ts";
import { type Driver, runOnDriver } from "../site/index.ts";

/** The driver's logs in which a network boot leaves traces. */
export interface LogPlace {
  server: Driver;
  /** dnsmasq's log, on the driver. */
  dnsmasq?: string | undefined;
  /** The access log of the web server in front of cobbler, on the driver. */
  web?: string | undefined;
}

/** What the driver's logs tell of one network boot. `unknown` where there is no log that can be read. */
export interface NetworkBoot {
  dhcp: "unknown" | "silent" | "asked" | "answered";
  answerFile: "unknown" | "not fetched" | "fetched";
}

export const nothingKnown: NetworkBoot = { dhcp: "unknown", answerFile: "unknown" };

// Sizes now: what is read later begins behind them.
const SIZES = `for file; do [ -z "$file" ] || stat -c %s -- "$file" || exit; done`;

// A log that is smaller than it was has been rotated: then all of it is new.
const SINCE = `
since() {
  [ -n "$1" ] || return 0
  size=$(stat -c %s -- "$1") || exit
  if [ "$size" -lt "$2" ]; then cat -- "$1"; else tail -c "+$(($2 + 1))" -- "$1"; fi
}
since "$1" "$2" | grep -iF -- "$3" | tail -n 50
echo --
since "$4" "$5" | grep -F -- "/$6" | tail -n 50
exit 0
`;

/** Reads what one machine's network boot leaves in the driver's logs, from a moment on. */
export class DriverLogs {
  readonly #context: Context;
  readonly #place: LogPlace | undefined;
  readonly #machine: { name: string; mac: string; system: string };
  #sizes: { dnsmasq: number; web: number } | undefined;

  constructor(context: Context, place: LogPlace | undefined, machine: { name: string; mac: string; system: string }) {
    this.#context = context;
    this.#place = place;
    this.#machine = machine;
  }

  /** From here on. Logs are evidence, not a condition: where they cannot be read the installation goes on without. */
  async begin(): Promise<void> {
    this.#sizes = undefined;
    const place = this.#place;
    if (!place || (!place.dnsmasq && !place.web)) return;
    await this.#tolerate(async () => {
      const sizes = (await this.#run(place, SIZES, [place.dnsmasq ?? "", place.web ?? ""])).trim().split("\n").map(Number);
      this.#sizes = { dnsmasq: place.dnsmasq ? (sizes[0] ?? 0) : 0, web: place.web ? (sizes.at(-1) ?? 0) : 0 };
    });
  }

  async look(): Promise<NetworkBoot> {
    const [place, sizes] = [this.#place, this.#sizes];
    if (!place || !sizes) return nothingKnown;
    const { mac, system } = this.#machine;
    const seen = await this.#tolerate(async () => {
      const words = [place.dnsmasq ?? "", `${sizes.dnsmasq}`, mac, place.web ?? "", `${sizes.web}`, system];
      const [dhcp = "", web = ""] = (await this.#run(place, SINCE, words)).split("--\n");
      return readBoot(place, dhcp, web, system);
    });
    return seen ?? nothingKnown;
  }

  #run(place: LogPlace, script: string, words: string[]): Promise<string> {
    return runOnDriver(this.#context, place.server, this.#machine.name, script, words);
  }

  async #tolerate<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof TestbedError)) throw error;
      this.#sizes = undefined;
      this.#context.warn(`the driver's logs cannot be read (${errorText(error)}); the installation goes on without them`);
      return undefined;
    }
  }
}

/** dnsmasq and ISC dhcpd use the same words for DHCP's messages. Cobbler serves answer files at `…/system/NAME`. */
export function readBoot(place: Pick<LogPlace, "dnsmasq" | "web">, dhcp: string, web: string, system: string): NetworkBoot {
  const answered = /DHCP(OFFER|ACK)\b/.test(dhcp);
  const asked = /DHCP(DISCOVER|REQUEST)\b/.test(dhcp);
  const escaped = system.replace(/[.]/g, "\\.");
  const fetched = new RegExp(`/op/(autoinstall|ks)/system/${escaped}[\\s?"/]`).test(web);
  return {
    dhcp: !place.dnsmasq ? "unknown" : answered ? "answered" : asked ? "asked" : "silent",
    answerFile: !place.web ? "unknown" : fetched ? "fetched" : "not fetched",
  };
}
