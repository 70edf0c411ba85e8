import { type Document, isAlias, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";
import { type Fault, hostile, makeSource, type Path, refusedSource, type Source } from "./source.ts";

/** Enough for every alias that a person writes; above it a few lines unfold into gigabytes. */
const MOST_ALIASES = 100;

/** Errors of the YAML library after which the rest of the document still means what it says. */
const HARMLESS: readonly string[] = ["DUPLICATE_KEY"];

/** Parses YAML 1.2. Never throws: every fault is a finding of the source. */
export function parseYamlSource(file: string, raw: string): Source {
  const text = raw.replace(/^\uFEFF/, "");
  const bad = hostile(text);
  if (bad) return refusedSource(file, bad);
  try {
    const document = parseDocument(text, { uniqueKeys: true, version: "1.2", prettyErrors: false });
    const faults = [...syntaxFaults(document), ...aliases(document)];
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
    broken: error.name === "YAMLParseError" && !HARMLESS.includes(error.code),
  }));
}

/** Aliases hide where a value really stands, and one edit changes two things: they are refused, and followed for the other checks. */
function aliases(document: Document): Fault[] {
  const found: Fault[] = [];
  visit(document, {
    Alias(_, node) {
      const offset = node.range?.[0] ?? 0;
      found.push({ offset, what: `anchors and aliases are not used here: *${node.source}`, broken: false });
    },
  });
  return found;
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
