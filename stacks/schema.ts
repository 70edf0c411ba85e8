import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { Path, Source } from "./source.ts";

/** Parses a source by a schema: every fault becomes a finding at its place, with a guess where a name is misspelt. */
export function parseBySchema<T>(source: Source, schema: z.ZodType<T>, purpose: string): T | undefined {
  if (source.findings.length > 0) return undefined;
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        source.findings.push(
          source.finding("TB102", [...path, key], {
            what: `unknown key ${key}${didYouMean(key, keysAt(schema, path))}`,
            why: `nothing reads it: ${purpose} would silently lack what it says`,
            remedy: "correct or remove it",
          }),
        );
      }
    } else {
      source.findings.push(
        source.finding("TB103", path, {
          what: `${path.join(".") || "the file"}: ${issue.message}`,
          why: `${purpose} cannot be planned without it`,
          remedy: "give it a value of this form",
        }),
      );
    }
  }
  return undefined;
}

/** An entry by a name from a file: `constructor` and its like are names there, not what every object inherits. */
export function lookup<T>(entries: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const guess = closest(word, [...known]);
  return distance(word, guess) <= Math.max(2, word.length / 3)
    ? `; did you mean ${guess}?`
    : `; known are ${known.slice(0, 12).join(", ")}`;
}

/** The keys that a schema knows at a path; none where the path leads through something else than objects and records. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let at: unknown = schema;
  for (const step of path) {
    at = unwrap(at);
    if (at instanceof z.ZodObject) at = at.shape[String(step)];
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else if (at instanceof z.ZodArray) at = at.element;
    else return [];
  }
  at = unwrap(at);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrap(schema.unwrap());
  return schema;
}
