import { z } from "zod";
import { type Context, retry, TestbedError } from "../kernel/index.ts";
import { hostKeyPattern } from "../transport/host-key.ts";
import { sshExec } from "../transport/ssh.ts";

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

/** Runs one of our shell scripts on the driver; its arguments are data and never read as code. */
export async function runOnDriver(
  context: Context,
  driver: Driver,
  object: string,
  script: string,
  args: readonly string[],
): Promise<string> {
  const system = `driver ${driver.address}`;
  const { privateKey = "" } = context.credential(driver.credential);
  const target = { address: driver.address, user: driver.user, hostKey: driver.hostKey, privateKey };
  const result = await retry(context.signal, () => sshExec(target, ["sh", "-c", script, "testbed", ...args]));
  if (result.status === 0) return result.stdout;
  const seen = result.stderr.trim() || result.stdout.trim() || "no output";
  if (result.status === FOREIGN)
    throw new TestbedError({
      system,
      object,
      kind: "conflict",
      code: "foreign",
      message: seen,
      remedy: "destroy it from the stack named here, or choose other machines",
    });
  throw new TestbedError({ system, object, kind: "refused", code: `exit-${result.status}`, message: seen });
}
