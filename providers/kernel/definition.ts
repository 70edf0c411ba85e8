import type { z } from "zod";
import type { Mark } from "./mark.ts";

export type Operation = "create" | "update" | "read" | "delete";

/** What a resource gets to work with during one operation. */
export interface Context {
  readonly name: string;
  readonly urn: string;
  readonly operation: Operation;
  /** Aborts at this operation's deadline, and at SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  readonly mark: Mark;
  /** Shows a phase on the resource's own row and writes it to the journal. */
  phase(text: string): void;
  /** Called just before the first remote write: from then on a failure keeps the resource in the state, as partial. */
  touched(): void;
  /** The credential of that name from the encrypted stack configuration. */
  credential(name: string): Record<string, string>;
  /** Shows a warning that does not fail the operation. */
  warn(text: string): void;
}

/** What the remote system says now, in the shape of the inputs, so that a refresh shows drift. */
export interface Observed<I, O> {
  inputs: Partial<I>;
  outputs: O;
}

/** One resource, once: check, diff, defaults, documentation and the operations all derive from this. */
export interface Definition<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> {
  /** `module:Type`, e.g. `cobbler:System`. */
  type: string;
  /** The first line of the resource's reference documentation. */
  summary: string;
  // The shape's own types are given by I; zod's generic parameter would only repeat them.
  inputs: z.ZodObject;
  outputs: Record<keyof O & string, string>;
  /** Outputs that the state keeps encrypted and no diff shows. */
  secretOutputs?: readonly (keyof O & string)[];
  /** Inputs whose change makes another object of it; `server.url` is the url within the input server. */
  replaceOn: readonly ((keyof I & string) | `${keyof I & string}.${string}`)[];
  /** Limit of one operation unless the stack's `limits` say otherwise. */
  deadlineSeconds: number;
  /** The id is made of the inputs, never by the server, so that a run after a crash meets the same object. */
  id(inputs: I): string;
  /** Undefined when the object is absent. */
  observe(context: Context, inputs: I, previous: O | undefined): Promise<Observed<I, O> | undefined>;
  /** Create and update: from whatever was observed to what is wanted. Refuses an object that is not ours. */
  reconcile(context: Context, inputs: I, observed: Observed<I, O> | undefined, previous: (I & O) | undefined): Promise<O>;
  /** Absent is success. */
  remove(context: Context, state: I & O): Promise<void>;
}

/** How programs and states call an output `id`, which in a program is the resource's own. */
export const SERVER_ID = "serverId";

const definitions = new Map<string, Definition>();

export function defineResource<I extends object, O extends object>(definition: Definition<I, O>): Definition<I, O> {
  if (definitions.has(definition.type)) throw new Error(`The resource ${definition.type} is defined twice`);
  definitions.set(definition.type, definition as unknown as Definition);
  return definition;
}

export function definitionOf(type: string): Definition {
  const found = definitions.get(type);
  if (!found)
    throw new Error(`No resource of type ${type} is defined in this checkout; the state was written by a newer one: update the checkout`);
  return found;
}

export function allDefinitions(): Definition[] {
  return [...definitions.values()].sort((a, b) => a.type.localeCompare(b.type));
}
