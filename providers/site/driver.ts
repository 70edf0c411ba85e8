import { z } from "zod";
import { type Context, retry, TestbedError } from "../kernel/index.ts";
import { hostKeyPattern } from "../transport/host-key.ts";
import { type SshTarget, sshExec } from "../transport/ssh.ts";

/** How the driver is reached over SSH. */
export const driverSchema = z.object({
  address: z.ipv4().describe("The driver's address."),
  user: z.string().default("root").describe("The account."),
  hostKey: z
    .string()
    .regex(hostKeyPattern, "must be a public key line (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`)")
    .describe("The pinned host key: a public key line or a `SHA256:` fingerprint."),
  credential: z.string().default("driver").describe("Name of the credential (`privateKey`) in the stack configuration."),
});
export type Driver = z.infer<typeof driverSchema>;

/** Status with which our scripts on the driver say: this belongs to somebody else. */
export const FOREIGN = 73;

/** Status with which our scripts on the driver say: a file cannot be written there. */
export const NOT_WRITTEN = 74;

export function driverTarget(context: Context, driver: Driver): SshTarget & { hostKey: string } {
  const { privateKey = "" } = context.credential(driver.credential);
  return { address: driver.address, user: driver.user, hostKey: driver.hostKey, privateKey };
}

/** What a status of a script means; by default a refusal with the code `exit-<status>`. */
export type Meanings = Record<number, { kind: "conflict" | "refused" | "invalid"; code: string; remedy: string }>;

const meanings: Meanings = {
  [FOREIGN]: { kind: "conflict", code: "foreign", remedy: "destroy it from the stack named here, or choose other machines" },
  [NOT_WRITTEN]: {
    kind: "refused",
    code: "not-written",
    remedy: "make room on that file system of the driver, and make the folder writable for the account; nothing was changed",
  },
};

/** Runs one of our shell scripts on the driver; its arguments are data and never read as code. */
export async function runOnDriver(
  context: Context,
  driver: Driver,
  object: string,
  script: string,
  args: readonly string[],
  special: Meanings = {},
): Promise<string> {
  const target = driverTarget(context, driver);
  const result = await retry(context.signal, () => sshExec(target, ["sh", "-c", script, "testbed", ...args]));
  if (result.status === 0) return result.stdout;
  throw driverFailure(driver, object, result.status, result.stderr.trim() || result.stdout.trim(), special);
}

/** What a status other than 0 of one of our scripts means. */
export function driverFailure(driver: Driver, object: string, status: number, said: string, special: Meanings = {}): TestbedError {
  const meaning = special[status] ?? meanings[status] ?? { kind: "refused", code: `exit-${status}` };
  return new TestbedError({ system: `driver ${driver.address}`, object, message: said || "no output", ...meaning });
}
