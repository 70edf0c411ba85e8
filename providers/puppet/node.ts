import { z } from "zod";
import { type Context, retry, TestbedError } from "../kernel/index.ts";
import { hostKeyPattern } from "../transport/host-key.ts";
import { sshExec } from "../transport/ssh.ts";

/** How an installed machine is reached over SSH. */
export const nodeSchema = z.object({
  address: z.ipv4().describe("The machine's address."),
  user: z.string().default("root").describe("The account."),
  hostKey: z
    .string()
    .regex(hostKeyPattern, "must be a public key line (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`)")
    .describe("The pinned host key, as the proof of the installation gave it."),
  credential: z.string().default("hosts").describe("Name of the credential (`privateKey`) in the stack configuration."),
});
export type Node = z.infer<typeof nodeSchema>;

/** Where the packages of all puppet releases put their programs: those of Puppet's own are in no PATH of a plain SSH command. */
export const PUPPET_PATH = "PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin:/opt/puppetlabs/bin:/opt/puppetlabs/server/bin\n";

/** Where they keep what the agent's last run left. */
export const STATE_FOLDERS = "/var/cache/puppet/state /var/lib/puppet/state /opt/puppetlabs/puppet/cache/state";

/** A certificate's name: a full name in lower case, without anything that a shell, a path or the CA could read as more. */
export const certnameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)+$/, "must be one full name in lower case, without wildcards");

const systemOf = (node: Pick<Node, "address">) => `host ${node.address}`;

/** Runs one of our shell scripts on a machine; its arguments are data. A status other than 0 is an error with the code `exit-<status>`. `once`: a machine that does not answer is not asked again. */
export async function runOnNode(
  context: Context,
  node: Node,
  object: string,
  script: string,
  args: readonly string[],
  { once = false, ...options }: { stdin?: string; timeoutSeconds?: number; once?: boolean } = {},
): Promise<string> {
  const { privateKey = "" } = context.credential(node.credential);
  const target = { address: node.address, user: node.user, hostKey: node.hostKey, privateKey };
  const ask = () => sshExec(target, ["sh", "-c", PUPPET_PATH + script, "testbed", ...args], options);
  const result = await (once ? ask() : retry(context.signal, ask));
  if (result.status === 0) return result.stdout;
  const message = result.stderr.trim() || result.stdout.trim() || "no output";
  throw new TestbedError({ system: systemOf(node), object, kind: "refused", code: `exit-${result.status}`, message });
}

/** Prints the process id of a run of the agent that is going on. A lock whose process is gone does not count. */
export const RUNNING_AGENT = `
for folder in ${STATE_FOLDERS}; do
  pid=$(cat "$folder/agent_catalog_run.lock" 2>/dev/null) || continue
  if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then echo "$pid"; break; fi
done
`;
