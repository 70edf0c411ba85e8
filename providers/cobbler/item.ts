import { type Context, findMark, type Mark, markText, type Observed, sameMark, TestbedError } from "../kernel/index.ts";
import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import { CobblerClient, type CobblerConnection, type Item, type ItemKind } from "./client.ts";
import { differing } from "./compare.ts";

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
  /** What the server has, as inputs. */
  inputs(item: Item, inputs: I): Partial<I>;
}

type ItemInputs = { name: string; server: CobblerConnection; adopt: boolean };

/** The mark lives in the comment: the one field of every kind that cobbler never changes and people seldom do. */
function comment(item: Item | undefined, mark: string): string {
  const kept = String(item?.comment ?? "")
    .replace(/\s*cloudstack-testbed:\S+/, "")
    .trim();
  return kept && kept !== "~" ? `${kept} ${mark}` : mark;
}

export async function observeItem<I extends ItemInputs>(
  shape: ItemShape<I>,
  context: Context,
  inputs: I,
): Promise<Observed<I, ItemOutputs> | undefined> {
  const item = await new CobblerClient(context, inputs.server).get(shape.kind, inputs.name);
  if (!item) return undefined;
  return { inputs: shape.inputs(item, inputs), outputs: { uid: String(item.uid ?? "") } };
}

export async function reconcileItem<I extends ItemInputs>(shape: ItemShape<I>, context: Context, inputs: I): Promise<ItemOutputs> {
  const client = new CobblerClient(context, inputs.server);
  const item = await client.get(shape.kind, inputs.name);
  if (item) refuseForeign(client.system, `${shape.kind} ${inputs.name}`, context, findMark(String(item.comment)), inputs.adopt);
  const attributes = { comment: comment(item, markText(context.mark)), ...shape.attributes(inputs, item) };
  const changes = [...(item ? differing(attributes, item) : Object.entries(attributes)), ...(shape.edits?.(inputs, item) ?? [])];
  if (!item || changes.length > 0) {
    context.phase(item ? `changing ${changes.map(([attribute]) => attribute).join(", ")}` : "creating");
    await client.save(shape.kind, inputs.name, changes, item ? "edit" : "new");
  }
  const saved = item ?? (await client.get(shape.kind, inputs.name));
  return { uid: String(saved?.uid ?? "") };
}

/** Removes our object; an absent one is success, a foreign one stays. */
export async function removeItem(kind: ItemKind, context: Context, state: ItemInputs): Promise<boolean> {
  const client = new CobblerClient(context, state.server);
  const item = await client.get(kind, state.name);
  if (!item) return false;
  if (!sameMark(findMark(String(item.comment)), context.mark)) {
    context.warn(`${kind} ${state.name} carries another mark by now and was left alone`);
    return false;
  }
  context.phase("removing");
  await client.remove(kind, state.name);
  return true;
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
