/** One thing that was looked at. */
export interface Examined {
  what: string;
  /** What was seen; absent when the question failed. */
  seen?: string;
  /** What is not as it must be; absent when all is well. */
  wrong?: string;
  remedy?: string;
}

export const well = (what: string, seen: string): Examined => ({ what, seen });
export const amiss = (what: string, wrong: string, remedy: string): Examined => ({ what, wrong, remedy });

/** Asks one question; a failure is its finding, with this remedy. */
export async function examine(what: string, remedy: string, ask: () => Promise<string>): Promise<Examined> {
  try {
    return well(what, await ask());
  } catch (error) {
    return amiss(what, error instanceof Error ? error.message : String(error), remedy);
  }
}

/** A version as numbers, for comparing: `v3.259.0` is [3, 259, 0]. */
export function versionNumbers(text: string): number[] {
  return (/\d+(\.\d+)*/.exec(text)?.[0] ?? "").split(".").map(Number);
}

export function atLeast(version: string, least: string): boolean {
  const [seen, wanted] = [versionNumbers(version), versionNumbers(least)];
  for (const [index, number] of wanted.entries()) if ((seen[index] ?? 0) !== number) return (seen[index] ?? 0) > number;
  return true;
}
