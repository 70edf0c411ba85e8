import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import type { Finding } from "../findings.ts";
import { isRecord, keysAt } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/**
 * Keys that look like slips of known ones. Upstream's dialect has no schema, so another unknown key may mean something to another
 * reader; marvin itself would pass over either without a word.
 */
export function checkSpelling(source: Source, schema: z.ZodType): Finding[] {
  const { findings, add } = collector();
  const walk = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) value.forEach((one, index) => void walk(one, [...path, index]));
    if (!isRecord(value)) return;
    const known = keysAt(schema, path);
    for (const [key, one] of Object.entries(value)) {
      const meant = known.includes(key) ? undefined : known.find((other) => !Object.hasOwn(value, other) && isSlip(key, other));
      if (meant !== undefined)
        add(source, "TB102", [...path, key], {
          severity: "warning",
          what: `unknown key ${key}; did you mean ${meant}?`,
          why: "marvin and this project would take the value for missing",
          remedy: "correct it, or remove it",
        });
      if (known.includes(key)) walk(one, [...path, key]);
    }
  };
  walk(source.value, []);
  return findings;
}

function isSlip(key: string, known: string): boolean {
  // Of short keys two other letters make another word.
  const most = known.length > 5 ? 2 : 1;
  return known.length > 3 && distance(key.toLowerCase(), known.toLowerCase()) <= most;
}
