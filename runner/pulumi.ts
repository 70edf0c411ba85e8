import { capture } from "../cli/child.ts";
import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import type { ProvedHost } from "./suite.ts";

/** Fields by connection name, from the encrypted configuration. */
export type Credentials = Record<string, Record<string, string>>;

/** The machines that the stack's last `up` made. */
export interface StackMachines {
  hosts: ProvedHost[];
  managementServer: ProvedHost | undefined;
}

export async function stackMachines(opened: OpenStack): Promise<StackMachines> {
  const outputs = JSON.parse(await pulumi(opened, ["stack", "output", "--json"])) as Partial<StackMachines>;
  return { hosts: outputs.hosts ?? [], managementServer: outputs.managementServer };
}

export async function stackCredentials(opened: OpenStack): Promise<Credentials> {
  return JSON.parse(await pulumi(opened, ["config", "get", "cloudstack-testbed:credentials"])) as Credentials;
}

/** A stack file that came with the checkout has no state yet: it is made. */
export async function ensureStack(opened: OpenStack): Promise<void> {
  const argv = ["pulumi", "stack", "select", "--create", "--stack", opened.stack, "--non-interactive"];
  const { status } = await capture(argv, opened.environment, projectFolder);
  if (status !== 0) {
    throw new CommandError(
      exitStatus.infrastructure,
      `Stack ${opened.stack} cannot be opened in ${opened.environment.PULUMI_BACKEND_URL}: \`${argv.join(" ")}\` ended with status ${status}.`,
    );
  }
}

/** What a pulumi command prints. When it fails its own message has been shown on standard error. */
export async function pulumi(
  opened: OpenStack,
  words: readonly string[],
  hint = "A stack without a state is made by `testbed run`",
): Promise<string> {
  const argv = ["pulumi", ...words, "--stack", opened.stack, "--non-interactive"];
  const { status, output } = await capture(argv, opened.environment, projectFolder);
  if (status === 0) return output;
  throw new CommandError(exitStatus.infrastructure, `\`${argv.join(" ")}\` ended with status ${status}. ${hint}.`);
}
