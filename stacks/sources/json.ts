import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { type Fault, hostile, makeSource, type Path, refusedSource, type Source } from "./source.ts";

/**
 * Marvin's dialect: JSON in which a line whose first character is `#` is a comment. Comments become blanks, so places stay right.
 * Never throws: every fault is a finding of the source.
 */
export function parseMarvinSource(file: string, raw: string): Source {
  const text = raw.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const bad = hostile(text);
  if (bad) return refusedSource(file, bad);
  const json = text.replace(/^[ \t]*#.*$/gm, (line) => " ".repeat(line.length));
  const errors: ParseError[] = [];
  const tree = parseTree(json, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const faults: Fault[] = [
    ...errors.map((error) => ({ offset: error.offset, what: `not valid JSON: ${printParseErrorCode(error.error)}`, broken: true })),
    ...duplicateKeys(tree),
  ];
  let value: unknown;
  try {
    if (errors.length === 0) value = JSON.parse(json);
  } catch (error) {
    // The two parsers may disagree; marvin's own is as strict as this one.
    faults.push({ offset: 0, what: `not valid JSON: ${error instanceof Error ? error.message : String(error)}`, broken: true });
  }
  return makeSource(file, text, value, faults, (path) => offsetOf(tree, path));
}

/** Keys that stand twice in one object: JSON.parse silently takes the last. */
function duplicateKeys(node: Node | undefined): Fault[] {
  if (!node?.children) return [];
  const seen = new Set<unknown>();
  const own =
    node.type !== "object"
      ? []
      : node.children.flatMap((property): Fault[] => {
          const key = property.children?.[0];
          if (!key || !seen.has(key.value)) {
            seen.add(key?.value);
            return [];
          }
          return [{ offset: key.offset, what: `the key ${JSON.stringify(key.value)} stands twice in one object`, broken: false }];
        });
  return [...own, ...node.children.flatMap(duplicateKeys)];
}

function offsetOf(tree: Node | undefined, path: Path): number {
  let node = tree;
  let offset = 0;
  for (const step of path) {
    if (node?.type === "object") {
      // As JSON.parse does: of a key that stands twice, the last one counts.
      const property: Node | undefined = node.children?.findLast((one) => one.children?.[0]?.value === step);
      if (!property) break;
      offset = property.offset;
      node = property.children?.[1];
    } else if (node?.type === "array") {
      node = node.children?.[Number(step)];
      if (!node) break;
      offset = node.offset;
    } else break;
  }
  return offset;
}
