import { distance } from "fastest-levenshtein";

/** The known key that another one looks like a slip of; upstream's reader would take its value for missing. */
export function slipOf(key: string, known: readonly string[], present: Readonly<Record<string, unknown>>): string | undefined {
  return known.includes(key) ? undefined : known.find((other) => !Object.hasOwn(present, other) && isSlip(key, other));
}

function isSlip(key: string, known: string): boolean {
  // Of short keys two other letters make another word.
  const most = known.length > 5 ? 2 : 1;
  return known.length > 3 && distance(key.toLowerCase(), known.toLowerCase()) <= most;
}
