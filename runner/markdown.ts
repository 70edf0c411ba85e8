import { isDeepStrictEqual } from "node:util";
import { type PreviewDigest, type PreviewStep, urnParts, withoutHidden } from "./digest.ts";

/** Review systems cut longer comments (GitHub at 65,535 characters). */
const LIMIT = 60_000;
/** Longer values would hide the row they stand in. */
const VALUE_LIMIT = 60;

/** Deletes and replaces first: they are what a reviewer must not miss. */
const order = ["delete", "replace", "update", "create", "read", "refresh"];

interface Row {
  op: string;
  type: string;
  name: string;
  why: string;
}

/** What `up` would change, for a comment of a code review. `hide` takes secrets out of any text. */
export function previewMarkdown(stack: string, digest: PreviewDigest, hide: (text: string) => string = (text) => text): string {
  const rows = digest.steps.flatMap(rowOf).sort((a, b) => order.indexOf(a.op) - order.indexOf(b.op) || a.type.localeCompare(b.type));
  const lines = [`#### \`testbed preview\` of stack ${stack}`, "", summary(rows, digest)];
  for (const warning of warnings(rows, digest)) lines.push("", `> ⚠ ${cell(warning)}`);
  if (rows.length > 0) lines.push("", "| what | resource | name | why |", "| --- | --- | --- | --- |");
  const body = rows.map((row) => `| ${row.op} | ${cell(row.type)} | ${cell(row.name)} | ${cell(row.why)} |`);
  return `${hide(withinLimit(lines, body))}\n`;
}

/** As many rows as the limit leaves room for, and how many are left out. */
function withinLimit(head: readonly string[], body: readonly string[]): string {
  const lines = [...head];
  let length = head.join("\n").length;
  for (const [index, line] of body.entries()) {
    length += line.length + 1;
    if (length > LIMIT) return [...lines, "", `… and ${body.length - index} more.`].join("\n");
    lines.push(line);
  }
  return lines.join("\n");
}

function summary(rows: readonly Row[], digest: PreviewDigest): string {
  const same = digest.changeSummary.same ?? 0;
  if (rows.length === 0) return `Nothing changes; ${same} resources stay as they are.`;
  const counts = order.flatMap((op) => {
    const count = rows.filter((row) => row.op === op).length;
    return count > 0 ? [`**${count} to ${op}**`] : [];
  });
  return `${counts.join(", ")}; ${same} stay as they are.`;
}

function warnings(rows: readonly Row[], digest: PreviewDigest): string[] {
  const names = (op: string) => rows.filter((row) => row.op === op).map((row) => `${row.type} ${row.name}`);
  const [deleted, replaced] = [names("delete"), names("replace")];
  return [
    ...(deleted.length > 0 ? [`Deletes ${list(deleted)}.`] : []),
    ...(replaced.length > 0 ? [`Replaces ${list(replaced)}.`] : []),
    ...(digest.maybeCorrupt ? ["The engine says that the state may be damaged."] : []),
    ...(digest.diagnostics ?? []).filter((one) => one.severity === "warning").map((one) => one.message?.trim() ?? ""),
  ];
}

const list = (names: readonly string[]) =>
  names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", ");

/** A replacement is three steps to the engine, and one to a reader. */
function rowOf(step: PreviewStep): Row[] {
  const { type, name } = urnParts(step.urn);
  switch (step.op) {
    case "same":
    case "create-replacement":
    case "delete-replaced":
      return [];
    case "create":
      return [{ op: "create", type, name, why: "new" }];
    case "delete":
      return [{ op: "delete", type, name, why: "no longer in the inputs" }];
    default:
      return [{ op: step.op, type, name, why: reasons(step) }];
  }
}

/** Each changed argument with its old and its new value. */
function reasons(step: PreviewStep): string {
  const [old, now] = [withoutHidden(step.oldState?.inputs ?? {}), withoutHidden(step.newState?.inputs ?? {})];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((key) => !isDeepStrictEqual(old[key], now[key]));
  const replacing = new Set(step.replaceReasons ?? []);
  const texts = keys.map((key) => `\`${key}\`${replacing.has(key) ? " (replaces)" : ""}: ${value(old[key])} → ${value(now[key])}`);
  if (texts.length > 0) return texts.join("; ");
  return (step.diffReasons ?? []).filter((key) => !key.startsWith("__")).join(", ") || "its provider's code changed";
}

function value(given: unknown): string {
  if (given === undefined) return "nothing";
  const text = JSON.stringify(given);
  return text.length > VALUE_LIMIT ? `${text.slice(0, VALUE_LIMIT)}…` : text;
}

/** Nothing in a cell may end it, or be read as markup. */
const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\r?\n/g, " ");
