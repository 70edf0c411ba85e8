import { findMark, findMarks, hasMark, type Mark, markText, withMark } from "../kernel/index.ts";
import type { Item, ItemKind } from "./client.ts";

// The marks live in the comment: the one field of every kind that cobbler never changes and people seldom do.

/** Added to the mark while the last save may not have reached boot files and services. */
const UNFINISHED = "/unfinished";

const MARK_WORD = /\s*cloudstack-testbed:\S+/g;

/** A system is a machine, and a machine has one owner; the other kinds belong to the site. */
export const isShareable = (kind: ItemKind) => kind !== "system";

const commentOf = (item: Item | undefined) => String(item?.comment ?? "");

export function marksOf(item: Item | undefined): Mark[] {
  return findMarks(commentOf(item));
}

export function markOf(item: Item): Mark | undefined {
  return findMark(commentOf(item));
}

export function isOurs(item: Item, mark: Mark): boolean {
  return hasMark(marksOf(item), mark);
}

/** What people wrote into the comment, then the marks. Another stack's note that its last save is unfinished stays. */
export function commentWith(item: Item | undefined, marks: readonly Mark[], ours: Mark): string {
  const kept = commentOf(item).replace(MARK_WORD, "").trim();
  const noted = (mark: Mark) => item !== undefined && markText(mark) !== markText(ours) && isUnfinished(item, mark);
  const words = marks.map((mark) => (noted(mark) ? markText(mark) + UNFINISHED : markText(mark)));
  return [...(kept && kept !== "~" ? [kept] : []), ...words].join(" ");
}

/** The comment that the object must have: our mark alone, or beside those of the stacks that share it. */
export function markedComment(kind: ItemKind, item: Item | undefined, mark: Mark): string {
  return commentWith(item, isShareable(kind) ? withMark(marksOf(item), mark) : [mark], mark);
}

/** The comment of an object of ours whose save faulted: cobbler persists first and refreshes boot files and services later. */
export function unfinishedComment(kind: ItemKind, item: Item, mark: Mark): string {
  return markedComment(kind, item, mark).replace(markText(mark), markText(mark) + UNFINISHED);
}

export function isUnfinished(item: Item, mark: Mark): boolean {
  return commentOf(item).includes(markText(mark) + UNFINISHED);
}
