import type { z } from "zod";
import type { Definition } from "./definition.ts";

/** The text that stands for a value not yet known at preview (pulumi-dynamic facts §4). */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

type Properties = Record<string, unknown>;

function holdsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  return value !== null && typeof value === "object" && Object.values(value).some(holdsUnknown);
}

export function isHidden(key: string): boolean {
  return key.startsWith("__");
}

/** By type, then by what is left out. Zod compiles each new schema at its first use, which costs ten times the check itself. */
const schemas = new WeakMap<Definition, Map<string, z.ZodObject>>();

/** The schema of the inputs without the unknown ones; a property that it does not know is refused. */
function strictSchema(definition: Definition, unknown: readonly string[]): z.ZodObject {
  const key = [...unknown].sort().join(" ");
  const known = schemas.get(definition) ?? new Map<string, z.ZodObject>();
  schemas.set(definition, known);
  const schema =
    known.get(key) ?? definition.inputs.omit(Object.fromEntries(unknown.map((name) => [name, true])) as Record<string, true>).strict();
  known.set(key, schema);
  return schema;
}

/** Validates everything that is known, all faults at once, and fills in the defaults. Unknown values pass as they are. */
export function checkInputs(
  definition: Definition,
  news: Properties,
): { inputs: Properties; failures: { property: string; reason: string }[] } {
  const passed: Properties = {};
  const known: Properties = {};
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(news)) {
    if (isHidden(key)) passed[key] = value;
    else if (holdsUnknown(value)) {
      passed[key] = value;
      if (key in definition.inputs.shape) unknown.push(key);
    } else known[key] = value;
  }
  const result = strictSchema(definition, unknown).safeParse(known);
  if (result.success) return { inputs: { ...jsonSafe(result.data), ...passed }, failures: [] };
  const failures = result.error.issues.map((issue) => ({ property: issue.path.join("."), reason: issue.message }));
  return { inputs: news, failures };
}

/** Engine and state know JSON only; an `undefined` or a class instance would fail after the work is done. */
export function jsonSafe<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The inputs among the properties of a resource. */
export function pickInputs(definition: Definition, properties: Properties): Properties {
  return Object.fromEntries(Object.keys(definition.inputs.shape).flatMap((key) => (key in properties ? [[key, properties[key]]] : [])));
}

/** The inputs, by their outermost name, whose change means another object. */
export function changedReplacements(definition: Definition, olds: Properties, news: Properties): string[] {
  const changed = definition.replaceOn.filter((path) => JSON.stringify(valueAt(olds, path)) !== JSON.stringify(valueAt(news, path)));
  return [...new Set(changed.map((path) => path.split(".")[0] as string))];
}

function valueAt(properties: Properties, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Properties | undefined)?.[key], properties);
}
