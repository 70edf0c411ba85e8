import type { Context } from "./definition.ts";
import type { Mark } from "./mark.ts";

/** Something on a remote system that carries a mark, whoever made it. */
export interface MarkedObject {
  /** What it is on its system, as `keysOf` says it: `system/h11`. */
  key: string;
  /** As people call it: "system h11". */
  object: string;
  /** Every mark that it carries, at least one. */
  marks: Mark[];
  /** What a resource's `server` may call its system, where that has further addresses: those of a pool. */
  servers?: string[];
}

/** A resource as a state has it. */
export interface StateResource {
  /** `cobbler:System` */
  type: string;
  stack: string;
  inputs: Record<string, unknown>;
}

/**
 * One remote system of a site, asked for everything that carries a mark. A folder of providers/ has one for each of its systems; what
 * lists them all is runner/marked-systems.ts.
 */
export interface MarkedSystem {
  /** As errors call it: "cobbler http://…". */
  system: string;
  /** Its address or URL, as the inventory and the `server` of a resource say it. */
  server: string;
  /** Everything with a mark, of all stacks and owners, in the order in which it can be removed. Changes nothing. */
  list(context: Context): Promise<MarkedObject[]>;
  /** Takes the context's mark off one object, which goes with its last mark. What does not carry it any more stays. */
  remove(context: Context, object: MarkedObject): Promise<void>;
  /** The keys of what a resource stands for on a system of this kind; none where it is of another kind. */
  keysOf(resource: StateResource): string[];
}

/** `keysOf` where a resource of a type stands for one object. */
export function keysByType(types: Record<string, (inputs: Record<string, unknown>) => string[]>): MarkedSystem["keysOf"] {
  return ({ type, inputs }) => types[type]?.(inputs) ?? [];
}
