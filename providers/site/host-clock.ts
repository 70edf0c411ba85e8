import { z } from "zod";
import type { Context } from "../kernel/index.ts";
import { type SshTarget, sshExec } from "../transport/ssh.ts";
import { type ClockComparison, type ClockOwner, proveClock } from "./clock.ts";
import { type Driver, driverSchema, driverTarget } from "./driver.ts";

/** What a resource that proves machines needs to know to prove their clocks, too. */
export const clockLimitsSchema = z.object({
  driver: driverSchema.describe("The driver, by whose clock the site goes."),
  largestOffsetSeconds: z.number().positive().default(1).describe("How far a machine's clock may be from the driver's."),
  convergeSeconds: z.number().nonnegative().default(120).describe("How long a fresh machine's clock may take to come near."),
});
export type ClockLimits = { driver: Driver; largestOffsetSeconds: number; convergeSeconds: number };

/** A clock that is asked over the shared SSH connection. */
export const clockOver = (name: string, target: SshTarget & { hostKey: string }): ClockOwner => ({
  name,
  exec: (command, options) => sshExec(target, command, options),
});

/**
 * Proves the clock of a machine whose host key has just been proved.
 * @throws refused, code `clock`, naming both clocks
 */
export function proveHostClock(context: Context, host: SshTarget & { hostKey: string }, limits: ClockLimits): Promise<ClockComparison> {
  const driver = clockOver(`driver ${limits.driver.address}`, driverTarget(context, limits.driver));
  return proveClock(context, clockOver(`host ${host.address}`, host), driver, limits);
}
