import {
  type Context,
  changedFor,
  joinedWith,
  keptFor,
  markText,
  type Observed,
  type Standing,
  standing,
  TestbedError,
  withoutMark,
} from "../kernel/index.ts";
import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import { type Change, CobblerClient, type Item, type ItemKind } from "./client.ts";
import { commentWith, isOurs, isShareable, isUnfinished, markedComment, marksOf } from "./comment.ts";
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
  const { kind } = shape;
  const item = observed && (await client.get(kind, inputs.name));
  const held = standing(marksOf(item), context.mark, isShareable(kind));
  if (item) refuseForeign(client.system, `${kind} ${inputs.name}`, context, held, inputs.adopt);
  const attributes = { comment: markedComment(kind, item, context.mark), ...shape.attributes(inputs, item) };
  const changes = [...(item ? differing(attributes, item) : Object.entries(attributes)), ...(shape.edits?.(inputs, item) ?? [])];
  const phase = nextPhase(context, item, held, changes);
  if (phase) {
    await shape.beforeSave?.(client, inputs, item);
    context.phase(phase);
    const others = changes.some(([attribute]) => attribute !== "comment") ? held.others : [];
    if (others.length > 0) context.warn(changedFor(others));
    try {
      await saveMarked(client, context, { kind, name: inputs.name }, changes, item ? "edit" : "new");
    } catch (error) {
      if (item || !(await madeByAnother(client, context, { kind, name: inputs.name }, error))) throw error;
      return reconcileItem(shape, context, inputs, await observeItem(shape, context, inputs));
    }
    await shape.afterSave?.(client, inputs);
  }
  const saved = item ?? (await client.get(kind, inputs.name));
  if (saved && !item) requireTaken(client.system, kind, context, saved, Object.keys(attributes));
  return { uid: String(saved?.uid ?? "") };
}

/** Of two that made one name at the same moment cobbler keeps the last; and in one call it skips what it does not know. */
function requireTaken(system: string, kind: ItemKind, context: Context, saved: Item, attributes: readonly string[]): void {
  const object = `${kind} ${saved.name}`;
  refuseForeign(system, object, context, standing(marksOf(saved), context.mark, isShareable(kind)), false);
  const missing = attributes.filter((attribute) => !(attribute in saved));
  if (missing.length === 0) return;
  const message = `cobbler did not take ${missing.join(", ")}: it does not know it`;
  throw new TestbedError({ system, object, kind: "refused", code: "not-taken", message });
}

type Name = { kind: ItemKind; name: string };

/** Whether a creation failed because another stack of this site made the same object since we looked. */
async function madeByAnother(client: CobblerClient, context: Context, { kind, name }: Name, error: unknown): Promise<boolean> {
  if (!(error instanceof TestbedError) || error.code !== "exists") return false;
  return standing(marksOf(await client.get(kind, name)), context.mark, isShareable(kind)).is === "joinable";
}

/** Writes of two stacks that may meet before one of them is told to try again later. */
export const TRIES = 3;

/**
 * Saves, and looks whether our mark is there: cobbler has no lock for two programs, so another stack that adds its mark at the same moment
 * may write the comment as it was before ours.
 */
async function saveMarked(client: CobblerClient, context: Context, { kind, name }: Name, changes: readonly Change[], mode: "new" | "edit") {
  const marked = (now: Item | undefined) => markedComment(kind, now, context.mark);
  await client.save(
    kind,
    name,
    changes.map(([attribute, value]) => [attribute, attribute === "comment" ? marked : value]),
    mode,
  );
  if (!isShareable(kind)) return;
  for (let tries = 0; tries < TRIES; tries++) {
    const item = await client.get(kind, name);
    if (item && isOurs(item, context.mark)) return;
    await client.save(kind, name, [["comment", marked]], "edit");
  }
  throw markLost(client.system, `${kind} ${name}`);
}

export function markLost(system: string, object: string): TestbedError {
  return new TestbedError({
    system,
    object,
    kind: "conflict",
    code: "mark-lost",
    message: `is written by somebody else at the same time: it came back ${TRIES} times without our mark`,
    remedy: "run `pulumi up` again when the other stack's run has ended",
  });
}

/** Undefined when nothing is to be done. */
function nextPhase(context: Context, item: Item | undefined, held: Standing, changes: readonly Change[]): string | undefined {
  if (!item) return "creating";
  const names = changes.map(([attribute]) => attribute);
  if (names.join() === "comment" && isUnfinished(item, context.mark)) return "finishing the last save";
  if (names.join() === "comment" && held.is === "joinable") return joinedWith(held.others);
  if (names.length > 0) return `changing ${names.join(", ")}`;
  // An update where nothing differs may follow a failed one: what the server remembers then never reached its boot files.
  return context.operation === "update" ? "saving once more" : undefined;
}

/** Removes our object; an absent one is success, a foreign one stays and is warned of, one that other stacks use loses our mark only. */
export async function removeItem(kind: ItemKind, context: Context, state: ItemInputs): Promise<"removed" | "absent" | "foreign" | "kept"> {
  const client = new CobblerClient(context, state.server);
  const item = await client.get(kind, state.name);
  if (!item) return "absent";
  const { is, others } = standing(marksOf(item), context.mark, isShareable(kind));
  if (is !== "ours") {
    context.warn(`${kind} ${state.name} carries another mark by now and was left alone`);
    return "foreign";
  }
  if (isShareable(kind) && others.length > 0) {
    context.phase(keptFor(others));
    const released = (now: Item | undefined) => commentWith(now, withoutMark(marksOf(now), context.mark), context.mark);
    await client.save(kind, state.name, [["comment", released]], "edit");
    return "kept";
  }
  context.phase("removing");
  await client.remove(kind, state.name);
  return "removed";
}

/** Refuses an object that is neither ours nor to be shared, unless it is nobody's and the resource may adopt it. */
export function refuseForeign(system: string, object: string, { mark }: Context, { is, holder }: Standing, adopt: boolean): void {
  if (is === "ours" || is === "joinable" || (is === "nobody's" && adopt)) return;
  const moved = holder?.project === mark.project && holder.stack === mark.stack;
  throw new TestbedError({
    system,
    object,
    kind: "conflict",
    code: "foreign",
    message: holder ? `belongs to ${markText(holder)}` : "exists already and was not made by this stack",
    remedy: moved
      ? "this same stack is run from another state: run it from there, or take its ownership over on purpose with `testbed takeover`"
      : holder
        ? "destroy it from there, or choose another name"
        : "set `adopt: true` to take it over, or remove it in cobbler",
  });
}
