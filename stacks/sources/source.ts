import type { Finding, FindingCode } from "../findings.ts";

/** Where something stands in a file. */
export interface Place {
  line: number;
  column: number;
}

export type Path = readonly (string | number)[];

export interface FindingText {
  what: string;
  why: string;
  remedy: string;
  /** @default "error" */
  severity?: Finding["severity"];
}

/** A parsed file that still knows where everything stands. */
export interface Source {
  file: string;
  value: unknown;
  /** Whether the syntax is so wrong that the value says little about what was meant. */
  broken: boolean;
  findings: Finding[];
  /** The place of the deepest existing part of the path. */
  place(path: Path): Place;
  finding(code: FindingCode, path: Path, text: FindingText): Finding;
}

/** A fault of the text itself. `broken`: nothing after it can be trusted. */
export interface Fault {
  offset: number;
  what: string;
  broken: boolean;
}

/** Larger inputs are a mistake, and would only make every later message slow. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Parsers recurse: deeper files overflow the stack, and no input of ours comes near. */
const MOST_NESTED = 500;

export function makeSource(file: string, text: string, value: unknown, faults: readonly Fault[], offsetOf: (path: Path) => number): Source {
  const starts = lineStarts(text);
  const placeAt = (offset: number): Place => {
    const line = lineOf(starts, offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  const finding = (place: Place, code: FindingCode, { severity = "error", ...rest }: FindingText): Finding => {
    const line = text.slice(starts[place.line - 1], starts[place.line] ?? text.length).trimEnd();
    return { file, ...place, code, severity, ...rest, sourceLine: withoutSecrets(line) };
  };
  return {
    file,
    value,
    broken: faults.some((fault) => fault.broken),
    findings: faults.map((fault) =>
      finding(placeAt(fault.offset), "TB101", {
        what: fault.what,
        why: fault.broken ? "nothing of the file can be trusted until it is well-formed" : "it would silently mean something else",
        remedy: "correct the syntax at this place",
      }),
    ),
    place: (path) => placeAt(offsetOf(path)),
    finding: (code, path, rest) => finding(placeAt(offsetOf(path)), code, rest),
  };
}

/** A file of which nothing can be read. */
export function refusedSource(file: string, what: string): Source {
  return makeSource(file, "", undefined, [{ offset: 0, what, broken: true }], () => 0);
}

/** What no text file of ours may hold, whatever its syntax. */
export function hostile(text: string): string | undefined {
  if (text.length > MOST_CHARACTERS) return `the file has ${text.length} characters; the most is ${MOST_CHARACTERS}`;
  if (text.includes("\0")) return "the file holds a NUL character: it is not text";
  if (text.includes("\uFFFD")) return "the file is not UTF-8";
  if (nesting(text) > MOST_NESTED) return `brackets are nested more than ${MOST_NESTED} deep`;
  return undefined;
}

function nesting(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if (character === "[" || character === "{") most = Math.max(most, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return most;
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

/** Findings are printed into logs that more people read than the file: what follows a secret's key is not repeated there. */
function withoutSecrets(line: string): string {
  return line
    .replace(
      /([\w.-]*(?:passw(?:or)?d|secret|token|private_?key|security_?key|api_?key)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,}]+)/gi,
      (whole, key: string, value: string) => (/\$\{/.test(value) ? whole : `${key}…`),
    )
    .replace(/(:\/\/[^/@\s:]+:)[^/@\s]+@/g, "$1…@");
}
