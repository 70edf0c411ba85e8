import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { Finding } from "./findings.ts";
import type { Path, Source } from "./sources/index.ts";

/** What of a value has the right form: a fault leaves a gap, and the rest can still be checked. */
export type Found<T> = T extends readonly (infer E)[]
  ? Found<E>[]
  : T extends object
    ? { [K in keyof T]: string extends K ? Found<T[K]> : Found<T[K]> | undefined }
    : T;

export interface Read<T> {
  /** The whole value; absent when anything of it has the wrong form. */
  data?: T;
  /** Absent only when the file is not well-formed. */
  found?: Found<T>;
}

/** Reads a source by a schema: every fault of form becomes a finding at its place, with a guess where a name is misspelt. */
export function parseBySchema<T>(source: Source, schema: z.ZodType<T>, purpose: string): Read<T> {
  if (source.broken) return {};
  source.findings.push(...prototypes(source));
  const result = schema.safeParse(source.value);
  if (result.success) return { data: result.data, found: result.data as Found<T> };
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
      const value = at(source.value, path);
      const guess = issue.code === "invalid_value" && typeof value === "string" ? didYouMean(value, issue.values.map(String)) : "";
      source.findings.push(
        source.finding("TB103", path, {
          what: `${path.join(".") || "the file"} ${value === undefined ? "is missing" : `is ${shown(value, path)}`}: ${issue.message}${guess}`,
          why: `${purpose} cannot be planned without it`,
          remedy: "give it a value of this form",
        }),
      );
    }
  }
  // Of something else than a group of keys nothing is known, not even that a key was left out for its default.
  return { found: (isRecord(source.value) ? salvage(schema, source.value) : {}) as Found<T> };
}

/** Keys called `__proto__`, which no schema ever gets to see. */
function prototypes(source: Source, value: unknown = source.value, path: Path = []): Finding[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === "__proto__"
      ? [source.finding("TB102", [...path, key], { what: `unknown key ${key}`, why: "nothing can read it", remedy: "remove it" })]
      : []),
    ...prototypes(source, inner, [...path, Array.isArray(value) ? Number(key) : key]),
  ]);
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

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === "object" && inner !== null && Object.hasOwn(inner, step) ? (inner as never)[step] : undefined),
    value,
  );
}

/** The value as a finding shows it: short, and never a secret. */
function shown(value: unknown, path: Path): string {
  if (path.some((step) => /passw|secret|token|key|credential/i.test(String(step)))) return "something else";
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "a group of keys" : JSON.stringify(value).slice(0, 80);
}

/**
 * Keeps what has the right form. Entries of lists and groups keep their place and name even when nothing of them does: a machine
 * with a faulty MAC is still a machine of that name.
 */
function salvage(schema: unknown, value: unknown): unknown {
  if (value === undefined && schema instanceof z.ZodType) return schema.safeParse(undefined).data;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const given = isRecord(value) ? value : {};
    return Object.fromEntries(Object.entries(inner.shape).map(([key, one]) => [key, salvage(one, lookup(given, key))]));
  }
  if (inner instanceof z.ZodRecord) {
    if (!isRecord(value)) return undefined;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, one]) => {
        const kept = salvage(inner.valueType, one);
        return kept === undefined ? [] : [[key, kept]];
      }),
    );
  }
  if (inner instanceof z.ZodArray) {
    return Array.isArray(value) ? value.map((one) => salvage(inner.element, one)).filter((one) => one !== undefined) : undefined;
  }
  return schema instanceof z.ZodType ? schema.safeParse(value).data : undefined;
}

/** The keys that a schema knows at a path; none where the path leads through something else than objects, lists and records. */
export function keysAt(schema: z.ZodType, path: Path): string[] {
  let inner: unknown = unwrap(schema);
  for (const step of path) {
    if (inner instanceof z.ZodObject) inner = inner.shape[String(step)];
    else if (inner instanceof z.ZodRecord) inner = inner.valueType;
    else if (inner instanceof z.ZodArray) inner = inner.element;
    else return [];
    inner = unwrap(inner);
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodPipe) return unwrap(schema.in);
  return schema;
}
