/** One measurement of a figure. */
export interface Sample {
  value: number;
  /** What the value was made of, in seconds or as named. */
  parts: Record<string, number>;
}

/** What several rows measure with, which stays between their measurements. */
export interface Group {
  /** After the last measurement of a row of it, before those of another. */
  end(): Promise<void>;
}

/** One row of the table. */
export interface Figure {
  /** For `--only`. */
  id: string;
  what: string;
  unit: string;
  /** The row is missed when its median is above this. */
  must: number;
  /** What a reader can run to see the same. */
  command: string;
  group?: Group;
  /** @param index which measurement it is; rows that are made of one run have it measured once for all of them */
  measure(index: number): Promise<Sample>;
}

export interface Measured {
  id: string;
  what: string;
  unit: string;
  must: number;
  command: string;
  /** Undefined when no measurement ended; the row then counts as missed. */
  median?: number;
  missed: boolean;
  samples: Sample[];
  error?: string;
}

/** Takes the run of each index once, whichever row asks first. */
export function sharedRun<T>(take: (index: number) => Promise<T>): (index: number) => Promise<T> {
  const taken = new Map<number, Promise<T>>();
  return (index) => {
    const known = taken.get(index) ?? take(index);
    taken.set(index, known);
    return known;
  };
}

/** The middle value; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("no values have no median");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Measures a figure `times` times. A measurement that fails ends the row, not the others. */
export async function measure(figure: Figure, times: number, onSample: (sample: Sample) => void): Promise<Measured> {
  const { measure: take, group: _, ...fixed } = figure;
  const samples: Sample[] = [];
  try {
    for (let index = 0; index < times; index++) {
      const sample = await take(index);
      samples.push(sample);
      onSample(sample);
    }
  } catch (error) {
    return { ...fixed, samples, missed: true, error: error instanceof Error ? error.message : String(error) };
  }
  const middle = median(samples.map((sample) => sample.value));
  return { ...fixed, samples, median: middle, missed: middle > figure.must };
}

/** A ratio with two digits, anything else with at most one. */
export function valueText(value: number | undefined, unit: string): string {
  if (value === undefined) return "none";
  const digits = unit === "ratio" ? 2 : value < 10 ? 2 : 0;
  return `${value.toFixed(digits)}${unit === "ratio" ? "" : ` ${unit}`}`;
}
