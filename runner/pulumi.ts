import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { capture } from "../cli/child.ts";
import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder, projectName } from "../cli/project.ts";
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

/** A row of `pulumi stack ls --json`. */
export interface StackRow {
  name: string;
  resourceCount?: number;
  updateInProgress?: boolean;
}

/** The stacks of this project in the state backend. */
export async function listStacks(opened: OpenStack): Promise<StackRow[]> {
  const { status, output } = await capture(["pulumi", "stack", "ls", "--json", "--non-interactive"], opened.environment, projectFolder);
  if (status !== 0)
    throw new CommandError(exitStatus.infrastructure, `\`pulumi stack ls\` ended with status ${status}: the state backend cannot be read.`);
  return JSON.parse(output) as StackRow[];
}

/** Whether an operation on the stack runs or was killed. Of a file backend the engine does not say it: its locks do. */
export function isBusy({ name, updateInProgress }: StackRow, { PULUMI_BACKEND_URL: backend = "" }: NodeJS.ProcessEnv): boolean {
  if (updateInProgress) return true;
  if (!backend.startsWith("file://")) return false;
  const place = backend.startsWith("file:///") ? fileURLToPath(backend.replace(/\?.*$/, "")) : backend.slice("file://".length);
  const locks = join(place.replace(/^~(?=\/|$)/, process.env.HOME ?? "~"), ".pulumi/locks/organization", projectName, name);
  return existsSync(locks) && readdirSync(locks).length > 0;
}
