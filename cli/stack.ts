import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { labExecArguments } from "../lab/index.ts";
import { become } from "./child.ts";
import { stackEnvironment } from "./environment.ts";
import { CommandError, exitStatus } from "./exit.ts";
import { insideVariable, labOf } from "./lab-place.ts";
import { cachedEngine, projectFolder, stackNames } from "./project.ts";
import { type SiteSummary, siteOfStack } from "./site.ts";

/** The option that every command about one stack has. */
export const stackOption = [
  "-s, --stack <name>",
  "stack: one environment of one hypervisor on one site (default: $STACK, or the only one there is)",
] as const;

/** A stack and all that a command on it needs. */
export interface OpenStack {
  stack: string;
  site: SiteSummary;
  environment: NodeJS.ProcessEnv;
}

/** The stack that is meant: named, from the environment, or the only one. */
export function chosenStack(named: string | undefined): string {
  const stack = named ?? process.env.STACK;
  if (stack) return stack;
  const names = stackNames();
  if (names.length === 1 && names[0]) return names[0];
  throw new CommandError(exitStatus.input, `Say which stack is meant with --stack NAME. Stacks here: ${names.join(", ") || "none"}.`);
}

/** What the stack's environment adds to the caller's. */
export function addedVariables(site: SiteSummary): Record<string, string> {
  return stackEnvironment({
    projectFolder,
    nodeFolder: dirname(process.execPath),
    engineFolder: cachedEngine(),
    machines: site.machines,
    passphraseFile: site.passphraseFile,
    variables: process.env,
  });
}

/** The stack's environment, with the folder of a file backend made: the engine does not make it. */
export function openStack(named: string | undefined): OpenStack {
  const stack = chosenStack(named);
  const site = siteOfStack(stack);
  const added = addedVariables(site);
  // Other addresses (relative ones, ones with a query) are their owner's to prepare.
  if (/^file:\/\/\/[^?]*$/.test(added.PULUMI_BACKEND_URL ?? ""))
    mkdirSync(fileURLToPath(added.PULUMI_BACKEND_URL ?? ""), { recursive: true });
  return { stack, site, environment: { ...process.env, ...added, STACK: stack } };
}

/** Whether a command has to be taken inside the lab's namespaces to see its site. */
export function isOutside(site: SiteSummary): boolean {
  return site.embedded && process.env[insideVariable] !== site.site;
}

/** The command line that runs `testbed` with these words where the site can be seen. */
export function testbedArgv(opened: OpenStack, words: readonly string[]): string[] {
  return argvAtSite(opened, [process.execPath, ...process.execArgv, join(projectFolder, "cli/main.ts"), ...words]);
}

/** Goes on, as another process, where the site can be seen; returns when this one sees it already. */
export function goToSite(opened: OpenStack, words: readonly string[]): void {
  if (isOutside(opened.site)) become(testbedArgv(opened, [...words, "--stack", opened.stack]), opened.environment);
}

/** The command as it must be started so that it sees the site: inside the lab's namespaces where the lab serves it. */
export function argvAtSite({ site, environment }: OpenStack, argv: readonly string[], folder = process.cwd()): string[] {
  if (!isOutside(site)) return [...argv];
  const lab = labOf(site.site);
  let entered: string[];
  try {
    entered = labExecArguments(lab, folder, argv);
  } catch (error) {
    const hint = site.unreachable ?? "Start it with `testbed lab start`.";
    throw new CommandError(
      exitStatus.infrastructure,
      `Site ${site.site} cannot be reached: the lab is not running (${lab.state}). ${hint}`,
      error,
    );
  }
  environment[insideVariable] = site.site;
  return entered;
}
