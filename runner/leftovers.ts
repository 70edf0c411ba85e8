import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder, projectName } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { backendAddress, type Mark, ownerId } from "../providers/kernel/index.ts";
import { loadInputs } from "../stacks/load.ts";
import { askAll } from "./ask-systems.ts";
import { type Comparison, compare } from "./leftover-rows.ts";
import { asJson, type Outcome, render, renderRemoval } from "./leftover-text.ts";
import { markedSystems } from "./marked-systems.ts";
import { type Removal, removeRows } from "./remove-leftovers.ts";
import { atSite } from "./site-context.ts";
import { stackStates } from "./stack-states.ts";

/** Removing may empty stores. */
const REMOVE_SECONDS = 6 * 3600;

export interface LeftoverOptions {
  remove: boolean;
  json: boolean;
}

/** Lists, and on demand removes, what carries a mark of this project and no state knows. Returns the exit status of the command. */
export async function leftovers(opened: OpenStack, options: LeftoverOptions): Promise<number> {
  const { inventory, external } = loadInputs(projectFolder, { stack: opened.stack });
  if (!inventory && !external)
    throw new CommandError(exitStatus.input, `The inventory of site ${opened.site.site} cannot be read: see \`testbed check\`.`);
  const systems = inventory ? markedSystems(inventory) : [];
  return atSite(
    opened,
    async (context) => {
      const { listed, unasked } = await askAll(context, systems);
      const states = await stackStates(opened);
      const servers = systems.map((system) => system.server);
      const isOwn = (mark: Mark) => isOfBackend(mark, opened);
      const outcome: Outcome = { site: opened.site.site, ...compare(listed, states, servers, isOwn), unasked };
      if (!options.json) process.stdout.write(render(outcome));
      const removal = options.remove ? await removeRows(context, outcome.leftovers) : undefined;
      if (options.json) process.stdout.write(`${JSON.stringify(asJson(outcome, removal), undefined, 2)}\n`);
      else if (removal) process.stdout.write(renderRemoval(removal));
      return statusOf(outcome, removal);
    },
    REMOVE_SECONDS,
  );
}

/** Whether a mark was made from this stack's state backend. */
function isOfBackend({ project, stack, owner }: Mark, { environment }: OpenStack): boolean {
  return project === projectName && owner === ownerId(backendAddress(environment), project, stack);
}

function statusOf({ leftovers: left, unasked }: Comparison & Outcome, removal: Removal | undefined): number {
  if (unasked.length > 0 || (removal && removal.failed.length > 0)) return exitStatus.infrastructure;
  return left.length > (removal?.removed.length ?? 0) ? exitStatus.product : exitStatus.ok;
}
