import type { Context } from "./definition.ts";
import { TestbedError } from "./errors.ts";
import { type Mark, markText, sameMark, standing, withMark, withoutMark } from "./mark.ts";

/** One remote object that a resource wants, which exists already, and whose it is. */
export interface Holding {
  /** As errors name it: "system h11", "machine/h11". */
  object: string;
  /** The remote system: "cobbler http://…". */
  system: string;
  /** Whose mark it carries; undefined when it carries nobody's. Of several: ours, else one that is in our way, else the first. */
  holder: Mark | undefined;
  /** Only other stacks of this project hold it, and `up` adds our mark beside theirs: there is nothing to take. */
  shared?: true;
  /** When and from where it was made, where that is kept. */
  since?: string;
  /** Why it cannot be taken, and what to do first. */
  obstacle?: string;
}

/** How the marks of one type of resource are read, and moved on purpose. Operations never do that: they refuse. */
export interface Ownership<I extends object = Record<string, unknown>> {
  /** The objects of this resource that exist, whoever they belong to. */
  holdings(context: Context, inputs: I): Promise<Holding[]>;
  /** Puts our mark on one object that is not shared, and changes nothing else. Refuses (`conflict`) when its holder is no longer the one that was shown. */
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

/** What a holding says of the marks of an object. */
export function heldBy(marks: readonly Mark[], mark: Mark, shareable: boolean): Pick<Holding, "holder" | "shared"> {
  const { is, holder } = standing(marks, mark, shareable);
  return { holder, ...(is === "joinable" ? { shared: true } : {}) };
}

/** The marks after it was taken: ours instead of the holder's; other stacks that share it keep theirs. */
export function takenMarks(marks: readonly Mark[], { holder }: Holding, mark: Mark): Mark[] {
  return withMark(holder ? withoutMark(marks, holder) : marks, mark);
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
