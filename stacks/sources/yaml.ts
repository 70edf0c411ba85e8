import { type Document, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { type Fault, hostile, makeSource, type Path, refusedSource, type Source } from "./source.ts";

/** Enough for every alias that a person writes; above it a few lines unfold into gigabytes. */
const MOST_ALIASES = 100;

/** Parses YAML 1.2. Never throws: every fault is a finding of the source. */
export function parseYamlSource(file: string, raw: string): Source {
  const text = raw.replace(/^\uFEFF/, "");
  const bad = hostile(text);
  if (bad) return refusedSource(file, bad);
  try {
    // The library compares each key with all before it: quadratic in the number of machines.
    const document = parseDocument(text, { uniqueKeys: false, version: "1.2", prettyErrors: false });
    const faults = syntaxFaults(document);
    addFaultsBelow(document.contents, faults);
    const [value, unfoldable] = unfold(document);
    if (unfoldable !== undefined) faults.push({ offset: faults[0]?.offset ?? 0, what: unfoldable, broken: true });
    return makeSource(file, text, value, faults, (path) => offsetOf(document, path));
  } catch (error) {
    return refusedSource(file, `the file cannot be taken apart: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The document as plain data, or why it is none: aliases can name nothing, themselves, or more than memory holds. */
function unfold(document: Document): [value: unknown, fault?: string] {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    JSON.stringify(value); // throws where a value contains itself
    return [value];
  } catch (error) {
    return [undefined, `the file cannot be unfolded: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`];
  }
}

function syntaxFaults(document: Document): Fault[] {
  return [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    what: error.message,
    broken: error.name === "YAMLParseError",
  }));
}

/**
 * Keys that stand twice in one map; and aliases, which hide where a value really stands, so that one edit changes two things: they
 * are refused, and followed for the other checks.
 */
function addFaultsBelow(node: unknown, faults: Fault[]): void {
  if (isAlias(node))
    faults.push({ offset: node.range?.[0] ?? 0, what: `anchors and aliases are not used here: *${node.source}`, broken: false });
  else if (isSeq(node)) for (const item of node.items) addFaultsBelow(item, faults);
  if (!isMap(node)) return;
  const seen = new Set<unknown>();
  for (const { key, value } of node.items) {
    if (isScalar(key)) {
      if (seen.has(key.value)) faults.push({ offset: key.range?.[0] ?? 0, what: "Map keys must be unique", broken: false });
      seen.add(key.value);
    } else addFaultsBelow(key, faults);
    addFaultsBelow(value, faults);
  }
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(step));
      if (!pair || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as { range?: [number, number, number] } | undefined;
      if (!item) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}
