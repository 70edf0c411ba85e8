import { findMark, type Mark, markText, sameMark } from "../kernel/index.ts";
import type { Item } from "./client.ts";

// The mark lives in the comment: the one field of every kind that cobbler never changes and people seldom do.

/** Added to the mark while the last save may not have reached boot files and services. */
const UNFINISHED = "/unfinished";

const commentOf = (item: Item | undefined) => String(item?.comment ?? "");

export function markOf(item: Item): Mark | undefined {
  return findMark(commentOf(item));
}

export function isOurs(item: Item, mark: Mark): boolean {
  return sameMark(markOf(item), mark);
}

/** The comment that the object must have: what people wrote into it, then the mark. */
export function markedComment(item: Item | undefined, mark: Mark): string {
  const kept = commentOf(item)
    .replace(/\s*cloudstack-testbed:\S+/, "")
    .trim();
  return kept && kept !== "~" ? `${kept} ${markText(mark)}` : markText(mark);
}

/** The comment of an object of ours whose save faulted: cobbler persists first and refreshes boot files and services later. */
export function unfinishedComment(item: Item, mark: Mark): string {
  return markedComment(item, mark) + UNFINISHED;
}

export function isUnfinished(item: Item, mark: Mark): boolean {
  return commentOf(item).includes(markText(mark) + UNFINISHED);
}
