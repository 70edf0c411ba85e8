import type { OpenStack } from "../cli/stack.ts";
import type { StateResource } from "../providers/kernel/marked.ts";
import { urnParts, withoutHidden } from "./digest.ts";
import type { StackState } from "./leftover-rows.ts";
import { isBusy, listStacks, pulumi } from "./pulumi.ts";

interface Deployment {
  deployment?: { resources?: { urn: string; inputs?: Record<string, unknown> }[] };
}

/** What every stack of this project and backend has in its state. Secrets stay encrypted. */
export async function stackStates(opened: OpenStack): Promise<StackState[]> {
  const states: StackState[] = [];
  for (const row of await listStacks(opened)) {
    const named = { ...opened, stack: row.name };
    const busy = isBusy(row, opened.environment);
    const text = row.resourceCount === 0 ? "{}" : await pulumi(named, ["stack", "export"], "Without it nobody knows what is left over");
    states.push({ stack: row.name, busy, resources: stateResources(row.name, JSON.parse(text) as Deployment) });
  }
  return states;
}

/** The resources of ours in what `pulumi stack export` printed, those that wait for their deletion among them. */
export function stateResources(stack: string, { deployment }: Deployment): StateResource[] {
  return (deployment?.resources ?? [])
    .filter(({ inputs }) => inputs?.__owner !== undefined)
    .map(({ urn, inputs = {} }) => ({ type: urnParts(urn).type, stack, inputs: withoutHidden(inputs) }));
}
