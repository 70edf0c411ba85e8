import { projectName } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { backendAddress, type Context, type Mark, ownerId, rememberSecrets, TestbedError } from "../providers/kernel/index.ts";
import { loadEverySystem } from "../providers/runtime.ts";
import { closeSharedSsh } from "../providers/transport/ssh.ts";
import { type Credentials, ensureStack, stackCredentials } from "./pulumi.ts";

/** The mark of everything that this stack makes from this state backend. */
export function stackMark(opened: OpenStack): Mark {
  const { stack, environment } = opened;
  return { project: projectName, stack, owner: ownerId(backendAddress(environment), projectName, stack) };
}

/** What the providers' functions need when a command of the operator calls them, outside of any Pulumi operation. */
function siteContext(opened: OpenStack, credentials: Credentials, limitSeconds: number): Context {
  for (const { user: _, ...secrets } of Object.values(credentials)) rememberSecrets(secrets);
  return {
    name: opened.stack,
    urn: "",
    operation: "read",
    signal: AbortSignal.timeout(limitSeconds * 1000),
    mark: stackMark(opened),
    phase: () => undefined,
    touched: () => undefined,
    credential(name) {
      const found = credentials[name];
      if (found) return found;
      throw new TestbedError({
        system: `the configuration of stack ${opened.stack}`,
        object: `credential ${name}`,
        kind: "invalid",
        message: `is not set; set are: ${Object.keys(credentials).join(", ") || "none"}`,
        remedy: `run \`pulumi config set --secret --path credentials.${name}.<field>\``,
      });
    },
    warn: (text) => void process.stderr.write(`testbed: ${text}\n`),
  };
}

/** Works with the site as the operator, with the stack's credentials and mark; its connections end with the work. */
export async function atSite<T>(opened: OpenStack, work: (context: Context) => Promise<T>, limitSeconds = 600): Promise<T> {
  await ensureStack(opened);
  await loadEverySystem();
  const context = siteContext(opened, await stackCredentials(opened), limitSeconds);
  try {
    return await work(context);
  } finally {
    await closeSharedSsh();
  }
}
