import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Finding, FindingCode } from "./findings.ts";

/** Where something stands in a file. */
export interface Place {
  line: number;
  column: number;
}

export type Path = readonly (string | number)[];

/** A parsed file that still knows where everything stands. */
export interface Source {
  file: string;
  value: unknown;
  findings: Finding[];
  /** The place of the deepest existing part of the path. */
  place(path: Path): Place;
  finding(code: FindingCode, path: Path, text: { what: string; why: string; remedy: string; severity?: Finding["severity"] }): Finding;
}

/** Larger inputs are a mistake, and would only make every later message slow. */
const MOST_BYTES = 4 * 1024 * 1024;

function makeSource(
  file: string,
  text: string,
  value: unknown,
  faults: { offset: number; what: string }[],
  offsetOf: (path: Path) => number,
): Source {
  const starts = lineStarts(text);
  const placeAt = (offset: number): Place => {
    const line = lineOf(starts, offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  const at = (place: Place) => text.slice(starts[place.line - 1], starts[place.line] ?? text.length).trimEnd();
  const source: Source = {
    file,
    value,
    findings: [],
    place: (path) => placeAt(offsetOf(path)),
    finding(code, path, { severity = "error", ...rest }) {
      const place = source.place(path);
      return { file, ...place, code, severity, ...rest, sourceLine: at(place) };
    },
  };
  for (const fault of faults) {
    const place = placeAt(fault.offset);
    source.findings.push({
      file,
      ...place,
      code: "TB101",
      severity: "error",
      what: fault.what,
      why: "nothing of the file can be trusted until it is well-formed",
      remedy: "correct the syntax at this place",
      sourceLine: at(place),
    });
  }
  return source;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function refused(file: string, what: string): Source {
  return makeSource(file, "", undefined, [{ offset: 0, what }], () => 0);
}

/** Parsers recurse: deeper files overflow the stack, and no input of ours comes near. */
const MOST_NESTED = 500;

function nesting(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if (character === "[" || character === "{") most = Math.max(most, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return most;
}

/** What no text file of ours may hold, whatever its syntax. */
function hostile(text: string): string | undefined {
  if (text.length > MOST_BYTES) return `the file has ${text.length} characters; the most is ${MOST_BYTES}`;
  if (text.includes("\0")) return "the file holds a NUL character: it is not text";
  if (nesting(text) > MOST_NESTED) return `brackets are nested more than ${MOST_NESTED} deep`;
  return undefined;
}

/** Keys that stand twice in one object: JSON.parse silently takes the last. */
function duplicateKeys(node: Node | undefined): { offset: number; what: string }[] {
  if (!node?.children) return [];
  const seen = new Set<unknown>();
  const own =
    node.type !== "object"
      ? []
      : node.children.flatMap((property) => {
          const key = property.children?.[0];
          if (!key || !seen.has(key.value)) {
            seen.add(key?.value);
            return [];
          }
          return [{ offset: key.offset, what: `the key ${JSON.stringify(key.value)} stands twice in one object` }];
        });
  return [...own, ...node.children.flatMap(duplicateKeys)];
}

export function parseYamlSource(file: string, raw: string): Source {
  const text = raw.replace(/^\uFEFF/, "");
  const bad = hostile(text);
  if (bad) return refused(file, bad);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    uniqueKeys: true,
    version: "1.2",
    maxAliasCount: 0,
    prettyErrors: false,
  } as Parameters<typeof parseDocument>[1]);
  const faults = document.errors.map((error) => ({ offset: error.pos[0], what: error.message }));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    faults.push({ offset: 0, what: `anchors and aliases are not used here (${error instanceof Error ? error.message : String(error)})` });
  }
  return makeSource(file, text, value, faults, (path) => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((one) => isScalar(one.key) && one.key.value === step);
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
  });
}

/** Marvin's dialect: JSON in which a line whose first character is `#` is a comment. Comments become blanks, so places stay right. */
export function parseMarvinSource(file: string, raw: string): Source {
  const text = raw.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const bad = hostile(text);
  if (bad) return refused(file, bad);
  const json = text.replace(/^[ \t]*#.*$/gm, (line) => " ".repeat(line.length));
  const errors: ParseError[] = [];
  const tree = parseTree(json, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const faults = [
    ...errors.map((error) => ({ offset: error.offset, what: `not valid JSON: ${printParseErrorCode(error.error)}` })),
    ...duplicateKeys(tree),
  ];
  const value = errors.length === 0 ? (JSON.parse(json) as unknown) : undefined;
  return makeSource(file, text, value, faults, (path) => {
    let node: Node | undefined = tree;
    let offset = 0;
    for (const step of path) {
      if (node?.type === "object") {
        const property: Node | undefined = node.children?.find((one) => one.children?.[0]?.value === step);
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
  });
}
