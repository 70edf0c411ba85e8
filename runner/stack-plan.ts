import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder } from "../cli/project.ts";
import { loadInputs } from "../stacks/load.ts";
import type { Plan } from "../stacks/plan.ts";

/**
 * The plan of a stack, for commands that look at what was installed.
 * @throws CommandError (input) where the inputs have faults, and where nothing is installed: the site only names a management server
 */
export function planOf(stack: string, folder = projectFolder): Plan {
  const { plan, external } = loadInputs(folder, { stack });
  if (plan) return plan;
  const reason = external ? nothingInstalled(stack, external) : faulty(stack);
  throw new CommandError(exitStatus.input, reason);
}

/** Why there is nothing to look at on the site of a stack; undefined where machines are installed, or the inputs have faults. */
export function externalText(stack: string, folder = projectFolder): string | undefined {
  const { external } = loadInputs(folder, { stack });
  return external && nothingInstalled(stack, external);
}

/** Whether the stack has a cloud whose health can be asked: a management server, and a zone that is switched on. */
export function hasGate(stack: string, folder = projectFolder): boolean {
  const { plan, external } = loadInputs(folder, { stack });
  const planned = plan?.managementServer ? plan : external;
  return planned?.cloud.zones.some((zone) => zone.enabled) ?? false;
}

type External = NonNullable<ReturnType<typeof loadInputs>["external"]>;

const faulty = (stack: string) => `Stack ${stack} has no plan while its inputs have faults: see \`testbed check --stack ${stack}\`.`;

function nothingInstalled(stack: string, { site, managementServer: { address, ports } }: External): string {
  return (
    `Stack ${stack} has no driver, machines or stores to look at: its site ${site} only names a management server that runs already, ` +
    `${address}:${ports.api}, and nothing is installed by us. Its inputs are checked by \`testbed check --stack ${stack}\`, ` +
    `and its cloud is looked at by \`testbed health --stack ${stack}\`.`
  );
}
