/** Of a resource in the state. */
export interface StateResource {
  urn: string;
  dependencies?: string[];
}

/** Of the journal. */
export interface JournalLine {
  urn: string;
  event: string;
  seconds?: number;
}

/** Seconds of the longest chain of operations that wait for each other, without their queueing. */
export function longestChain(resources: readonly StateResource[], journal: readonly JournalLine[]): number {
  const own = new Map<string, number>();
  for (const { urn, event, seconds } of journal) if (event === "end") own.set(urn, (own.get(urn) ?? 0) + (seconds ?? 0));
  const dependencies = new Map(resources.map((one) => [one.urn, one.dependencies ?? []]));
  const ends = new Map<string, number>();
  const end = (urn: string): number => {
    const known = ends.get(urn);
    if (known !== undefined) return known;
    const value = (own.get(urn) ?? 0) + Math.max(0, ...(dependencies.get(urn) ?? []).map(end));
    ends.set(urn, value);
    return value;
  };
  return Math.max(0, ...resources.map((one) => end(one.urn)));
}
