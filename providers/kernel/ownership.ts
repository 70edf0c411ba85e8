import type { Context } from "./definition.ts";
import { TestbedError } from "./errors.ts";
import { type Mark, markText, sameMark } from "./mark.ts";

/** One remote object that a resource wants, which exists already, and whose it is. */
export interface Holding {
  /** As errors name it: "system h11", "machine/h11". */
  object: string;
  /** The remote system: "cobbler http://…". */
  system: string;
  /** Whose mark it carries; undefined when it carries nobody's. */
  holder: Mark | undefined;
  /** When and from where it was made, where that is kept. */
  since?: string;
  /** Why it cannot be taken, and what to do first. */
  obstacle?: string;
}

/** How the marks of one type of resource are read, and moved on purpose. Operations never do that: they refuse. */
export interface Ownership<I extends object = Record<string, unknown>> {
  /** The objects of this resource that exist, whoever they belong to. */
  holdings(context: Context, inputs: I): Promise<Holding[]>;
  /** Puts our mark on one object and changes nothing else. Refuses (`conflict`) when its holder is no longer the one that was shown. */
  take(context: Context, inputs: I, holding: Holding): Promise<void>;
}

const ownerships = new Map<string, Ownership>();

/** Says how the marks of a type are moved. A type without it has objects that carry no mark. */
export function defineOwnership<I extends object>(type: string, ownership: Ownership<I>): void {
  ownerships.set(type, ownership as unknown as Ownership);
}

export function ownershipOf(type: string): Ownership | undefined {
  return ownerships.get(type);
}

/** Refuses to take what changed hands since it was shown. */
export function refuseChanged(holding: Holding, now: Mark | undefined): void {
  if (now === undefined ? holding.holder === undefined : sameMark(holding.holder, now)) return;
  throw changedHands(holding, now ? markText(now) : "nobody");
}

export function changedHands(holding: Holding, now: string): TestbedError {
  return new TestbedError({
    system: holding.system,
    object: holding.object,
    kind: "conflict",
    code: "changed-hands",
    message: `expected ${holding.holder ? markText(holding.holder) : "nobody"} as its holder, seen ${now}`,
    remedy: "look again, then decide again",
  });
}
