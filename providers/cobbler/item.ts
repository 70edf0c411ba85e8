import { type Context, type Mark, markText, type Observed, sameMark, TestbedError } from "../kernel/index.ts";
import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import { CobblerClient, type Item, type ItemKind } from "./client.ts";
import { isOurs, isUnfinished, markedComment, markOf } from "./comment.ts";
import { differing } from "./compare.ts";
import type { CobblerConnection } from "./connection.ts";

export interface ItemOutputs {
  /** The server's own id. */
  uid: string;
}

/** How one kind of cobbler object is written and read; the flow is the same for all. */
export interface ItemShape<I> {
  kind: ItemKind;
  /** The inputs as cobbler's attributes, in the order in which they must be set. */
  attributes(inputs: I, item: Item | undefined): Record<string, XmlRpcValue>;
  /** Further writes that are no attributes, e.g. of interfaces; none when the server needs none. */
  edits?(inputs: I, item: Item | undefined): [string, XmlRpcValue][];
  /** Refuses what must not be written. */
  beforeSave?(client: CobblerClient, inputs: I, item: Item | undefined): Promise<void>;
  afterSave?(client: CobblerClient, inputs: I): Promise<void>;
  /** What the server has, as inputs. */
  inputs(item: Item, inputs: I): Partial<I>;
}

type ItemInputs = { name: string; server: CobblerConnection; adopt: boolean };

export async function observeItem<I extends ItemInputs>(
  shape: ItemShape<I>,
  context: Context,
  inputs: I,
): Promise<Observed<I, ItemOutputs> | undefined> {
  const item = await new CobblerClient(context, inputs.server).get(shape.kind, inputs.name);
  if (!item) return undefined;
  return { inputs: shape.inputs(item, inputs), outputs: { uid: String(item.uid ?? "") } };
}

/** Brings the object to what is wanted; `observed` is what was seen a moment ago, undefined for an absent object. */
export async function reconcileItem<I extends ItemInputs>(
  shape: ItemShape<I>,
  context: Context,
  inputs: I,
  observed: Observed<I, ItemOutputs> | undefined,
): Promise<ItemOutputs> {
  const client = new CobblerClient(context, inputs.server);
  const item = observed && (await client.get(shape.kind, inputs.name));
  if (item) refuseForeign(client.system, `${shape.kind} ${inputs.name}`, context, markOf(item), inputs.adopt);
  const attributes = { comment: markedComment(item, context.mark), ...shape.attributes(inputs, item) };
  const changes = [...(item ? differing(attributes, item) : Object.entries(attributes)), ...(shape.edits?.(inputs, item) ?? [])];
  const phase = nextPhase(context, item, changes);
  if (phase) {
    await shape.beforeSave?.(client, inputs, item);
    context.phase(phase);
    await client.save(shape.kind, inputs.name, changes, item ? "edit" : "new");
    await shape.afterSave?.(client, inputs);
  }
  const saved = item ?? (await client.get(shape.kind, inputs.name));
  return { uid: String(saved?.uid ?? "") };
}

/** Undefined when nothing is to be done. */
function nextPhase(context: Context, item: Item | undefined, changes: readonly [string, XmlRpcValue][]): string | undefined {
  if (!item) return "creating";
  const names = changes.map(([attribute]) => attribute);
  if (names.join() === "comment" && isUnfinished(item, context.mark)) return "finishing the last save";
  if (names.length > 0) return `changing ${names.join(", ")}`;
  // An update where nothing differs may follow a failed one: what the server remembers then never reached its boot files.
  return context.operation === "update" ? "saving once more" : undefined;
}

/** Removes our object; an absent one is success, a foreign one stays and is warned of. */
export async function removeItem(kind: ItemKind, context: Context, state: ItemInputs): Promise<"removed" | "absent" | "foreign"> {
  const client = new CobblerClient(context, state.server);
  const item = await client.get(kind, state.name);
  if (!item) return "absent";
  if (!isOurs(item, context.mark)) {
    context.warn(`${kind} ${state.name} carries another mark by now and was left alone`);
    return "foreign";
  }
  context.phase("removing");
  await client.remove(kind, state.name);
  return "removed";
}

/** Refuses an object that is not ours, unless it is nobody's and the resource may adopt it. */
export function refuseForeign(system: string, object: string, context: Context, found: Mark | undefined, adopt: boolean): void {
  if (sameMark(found, context.mark) || (found === undefined && adopt)) return;
  throw new TestbedError({
    system,
    object,
    kind: "conflict",
    code: "foreign",
    message: found ? `belongs to ${markText(found)}` : "exists already and was not made by this stack",
    remedy: found ? "destroy it from there, or choose another name" : "set `adopt: true` to take it over, or remove it in cobbler",
  });
}
