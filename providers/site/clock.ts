import { type Context, TestbedError, waitFor } from "../kernel/index.ts";
import type { SshResult } from "../transport/ssh.ts";

/** A machine that can be asked for its time. */
export interface ClockOwner {
  /** How the error calls it: `host 10.91.0.11`, `driver 10.91.0.1`. */
  name: string;
  exec(command: readonly string[], options?: { timeoutSeconds?: number }): Promise<SshResult>;
}

/** A clock as it was read: how far ahead of this machine's it is, and how wrong that can be at most. */
export interface ClockReading {
  aheadSeconds: number;
  uncertainSeconds: number;
}

/** What a check of two clocks found. */
export interface ClockComparison {
  /** The host's clock minus the driver's. */
  offsetSeconds: number;
  uncertainSeconds: number;
  /** What chrony on the host says of itself; undefined where there is no chrony. */
  chrony: ChronyTracking | undefined;
}

/** `chronyc -c tracking`. */
export interface ChronyTracking {
  synchronised: boolean;
  /** Of the system's clock to the server's, as chrony estimates it. */
  offsetSeconds: number;
  server: string;
}

/** How often a clock is read; the reading with the shortest way counts. */
const READINGS = 3;

/**
 * How far a machine's clock is ahead of this one's: half of the round trip is taken for the way there, so the whole of it bounds the
 * error. Without NTP tools, on any system with a `date`.
 */
export async function readClock(owner: ClockOwner): Promise<ClockReading> {
  let best: ClockReading | undefined;
  for (let reading = 0; reading < READINGS; reading++) {
    const before = Date.now() / 1000;
    const { status, stdout, stderr } = await owner.exec(["date", "-u", "+%s.%N"], { timeoutSeconds: 20 });
    const after = Date.now() / 1000;
    // A busybox without nanoseconds leaves `%N` out: half a second is the best guess then.
    const [, seconds, fraction] = /^(\d+)\.(\d*)/.exec(stdout.trim()) ?? [];
    if (status !== 0 || seconds === undefined) {
      throw new TestbedError({
        system: owner.name,
        object: "clock",
        kind: "refused",
        code: "no-date",
        message: `\`date -u +%s.%N\` ended with status ${status} and said ${JSON.stringify((stdout + stderr).trim())}`,
      });
    }
    const said = Number(seconds) + (fraction ? Number(`0.${fraction}`) : 0.5);
    const uncertainSeconds = (after - before) / 2 + (fraction ? 0 : 0.5);
    if (!best || uncertainSeconds < best.uncertainSeconds) best = { aheadSeconds: said - (before + after) / 2, uncertainSeconds };
  }
  return best as ClockReading;
}

/** Reads a line of `chronyc -c tracking`: reference, its name, stratum, time, offset of the system's clock, …, leap status. */
export function parseTracking(text: string): ChronyTracking | undefined {
  const fields = text.trim().split(",");
  const offset = Number(fields[4]);
  if (fields.length < 14 || fields[4] === "" || !Number.isFinite(offset)) return undefined;
  return { synchronised: fields.at(-1) === "Normal", offsetSeconds: offset, server: fields[1] || (fields[0] as string) };
}

async function tracking(owner: ClockOwner): Promise<ChronyTracking | undefined> {
  // A host without chrony, or whose chronyd does not run, is judged by its clock alone.
  const script = "PATH=$PATH:/usr/sbin:/sbin; command -v chronyc >/dev/null && chronyc -c tracking";
  const { status, stdout } = await owner.exec(["sh", "-c", script], { timeoutSeconds: 20 });
  return status === 0 ? parseTracking(stdout) : undefined;
}

/** Both clocks, read at the same time. */
export async function compareClocks(host: ClockOwner, driver: ClockOwner): Promise<ClockComparison> {
  const [ours, theirs] = await Promise.all([readClock(host), readClock(driver)]);
  const chrony = await tracking(host);
  return {
    offsetSeconds: ours.aheadSeconds - theirs.aheadSeconds,
    uncertainSeconds: ours.uncertainSeconds + theirs.uncertainSeconds,
    chrony,
  };
}

/** Why the host's clock is wrong, naming both; undefined when it is right as far as can be told. */
export function clockFault(
  host: string,
  driver: string,
  seen: ClockComparison,
  largestOffsetSeconds: number,
  now = new Date(),
): string | undefined {
  const { offsetSeconds, uncertainSeconds, chrony } = seen;
  const direct = Math.abs(offsetSeconds) - uncertainSeconds > largestOffsetSeconds;
  const estimated = chrony?.synchronised === true && Math.abs(chrony.offsetSeconds) > largestOffsetSeconds;
  if (!direct && !estimated) return undefined;
  const off = direct ? offsetSeconds : (chrony?.offsetSeconds ?? 0);
  const time = new Date(now.getTime() + offsetSeconds * 1000).toISOString();
  const said = chrony
    ? `; chrony there ${chrony.synchronised ? `follows ${chrony.server}, ${chrony.offsetSeconds} s off` : "is not synchronised"}`
    : "; there is no chrony on it to ask";
  return (
    `the clock of ${host} says ${time} when that of ${driver} says ${now.toISOString()}: ${Math.abs(off).toFixed(3)} s ` +
    `${off > 0 ? "ahead" : "behind"} (measured to ${uncertainSeconds.toFixed(3)} s), and ${largestOffsetSeconds} s are allowed${said}`
  );
}

/**
 * Proves that a host's clock agrees with the driver's. A fresh machine's may take a while to converge: it is asked again until the limit.
 * @throws refused, code `clock`, naming both clocks
 */
export async function proveClock(
  context: Pick<Context, "signal" | "phase">,
  host: ClockOwner,
  driver: ClockOwner,
  limits: { largestOffsetSeconds: number; convergeSeconds: number },
): Promise<ClockComparison> {
  const options = { timeoutSeconds: limits.convergeSeconds, everySeconds: 1, object: "clock", system: host.name };
  let fault: string | undefined;
  try {
    return await waitFor<ClockComparison>("its clock to agree with the driver's", context, options, async () => {
      const seen = await compareClocks(host, driver);
      const now = clockFault(host.name, driver.name, seen, limits.largestOffsetSeconds);
      if (now === undefined) return { done: seen };
      if (fault === undefined) context.phase("waiting for the clock to agree with the driver's");
      fault = now;
      return { seen: now };
    });
  } catch (error) {
    if (fault === undefined || context.signal.aborted) throw error;
    throw new TestbedError({
      system: host.name,
      object: "clock",
      kind: "refused",
      code: "clock",
      message: `${fault}; it did not come nearer within ${limits.convergeSeconds} s`,
      remedy: "give the machine the driver as its time server (`driver.ntp.servers`), or raise `driver.ntp.largestOffsetSeconds`",
      cause: error,
    });
  }
}
