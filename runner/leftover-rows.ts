import type { Mark } from "../providers/kernel/index.ts";
import type { MarkedObject, MarkedSystem, StateResource } from "../providers/kernel/marked.ts";

/** What one system answered. */
export interface ListedSystem {
  system: MarkedSystem;
  objects: MarkedObject[];
}

/** What the state of one stack has. */
export interface StackState {
  stack: string;
  resources: StateResource[];
  /** Whether an operation on the stack runs: what it makes is not in the state yet. */
  busy: boolean;
}

/** One mark on an object that no state of this backend accounts for. */
export interface Row {
  system: MarkedSystem;
  object: MarkedObject;
  mark: Mark;
  /** Why it is not removed, though it is ours. */
  kept?: string;
}

export interface Comparison {
  /** Made from this state backend, and known to none of its states. */
  leftovers: Row[];
  /** Made from other state backends: whether those know it cannot be seen from here. */
  others: Row[];
}

/**
 * Compares what carries marks with what the states have. Pure.
 * @param isOwn whether a mark was made from the backend of these states
 */
export function compare(
  listed: readonly ListedSystem[],
  states: readonly StackState[],
  inventoryServers: readonly string[],
  isOwn: (mark: Mark) => boolean,
): Comparison {
  const known = states.map((state) => ({ state, ...knowledge(listed, state) }));
  const servers = new Set([...inventoryServers, ...listed.flatMap(({ objects }) => objects.flatMap((object) => object.servers ?? []))]);
  const result: Comparison = { leftovers: [], others: [] };
  for (const { system, objects } of listed) {
    for (const object of objects) {
      const knowing = known.filter(({ has }) => has(system, object)).map(({ state }) => state.stack);
      for (const mark of object.marks) {
        if (!isOwn(mark)) result.others.push({ system, object, mark });
        else if (!knowing.some((stack) => accountsFor(stack, object, mark))) {
          const own = known.find(({ state }) => state.stack === mark.stack);
          const kept =
            own &&
            whyKept(
              own.state,
              [...own.servers].filter((server) => !servers.has(server)),
            );
          result.leftovers.push({ system, object, mark, ...(kept ? { kept } : {}) });
        }
      }
    }
  }
  return result;
}

/** A stack that knows an object accounts for its own mark there, and for any mark where its own is missing. */
function accountsFor(stack: string, object: MarkedObject, mark: Mark): boolean {
  return stack === mark.stack || !object.marks.some((one) => one.stack === stack);
}

function whyKept({ stack, busy }: StackState, strange: readonly string[]): string | undefined {
  if (busy) return `an operation on stack ${stack} runs, or was killed: wait for its end, or run \`pulumi cancel --stack ${stack}\``;
  if (strange.length === 0) return undefined;
  return `the state of stack ${stack} has things on ${strange.join(", ")}, which the inventory does not name: run \`up\` or \`down\` of it first`;
}

interface Knowledge {
  has(system: MarkedSystem, object: MarkedObject): boolean;
  /** The servers on which the state has anything of the listed kinds. */
  servers: Set<string>;
}

function knowledge(listed: readonly ListedSystem[], { resources }: StackState): Knowledge {
  const servers = new Set<string>();
  const keys = new Map<MarkedSystem, Set<string>>();
  for (const { system, objects } of listed) {
    const here = new Set([system.server, ...objects.flatMap((object) => object.servers ?? [])]);
    const known = new Set<string>();
    keys.set(system, known);
    for (const resource of resources) {
      const found = system.keysOf(resource);
      if (found.length === 0) continue;
      const server = serverOf(resource);
      servers.add(server);
      if (here.has(server)) for (const key of found) known.add(key);
    }
  }
  return { servers, has: (system, object) => keys.get(system)?.has(object.key) ?? false };
}

function serverOf({ inputs }: StateResource): string {
  const { url, address } = (inputs.server ?? {}) as { url?: string; address?: string };
  return url ?? address ?? "";
}
