import { table } from "../cli/table.ts";
import { keptFor, markText } from "../providers/kernel/index.ts";
import type { Comparison, Row } from "./leftover-rows.ts";
import { keepers, type Removal } from "./remove-leftovers.ts";

/** What `testbed leftovers` found. */
export interface Outcome extends Comparison {
  site: string;
  /** The systems that could not be asked. */
  unasked: { system: string; message: string }[];
}

/** What was found, for people. */
export function render({ site, leftovers, others, unasked }: Outcome): string {
  const nothing =
    unasked.length > 0 ? `nothing is left over on what could be asked of site ${site}` : `nothing is left over on site ${site}`;
  const rows = leftovers.map((row) => [row.object.object, row.system.system, `stack ${row.mark.stack}`, note(row)]);
  return [
    leftovers.length === 0 ? `${nothing}\n` : `left over on site ${site}: it carries a mark, and no state has it\n`,
    leftovers.length === 0 ? "" : table([["OBJECT", "ON", "MADE BY", ""], ...rows]),
    others.length === 0 ? "" : `of other owners, whose states are not seen from here; it is left alone:\n${byHolder(others)}`,
    ...unasked.map(({ system, message }) => `could not be asked: ${system}: ${message}\n`),
  ].join("");
}

function note(row: Row): string {
  const others = keepers(row);
  return [...(others.length > 0 ? [keptFor(others)] : []), ...(row.kept ? [`stays: ${row.kept}`] : [])].join("; ");
}

/** Of a whole environment there are hundreds: one line for each holder and system. */
function byHolder(rows: readonly Row[]): string {
  const groups = new Map<string, { row: Row; objects: string[] }>();
  for (const row of rows) {
    const key = `${markText(row.mark)} ${row.system.system}`;
    const group = groups.get(key) ?? { row, objects: [] };
    groups.set(key, { row, objects: [...group.objects, row.object.object] });
  }
  return [...groups.values()]
    .map(({ row: { mark, system }, objects }) => {
      const holder = `stack ${mark.stack} of ${mark.project} (owner ${mark.owner})`;
      return `  ${holder} on ${system.system}: ${objects.join(", ")}\n`;
    })
    .join("");
}

/** What was done about it, for people. */
export function renderRemoval({ removed, failed }: Removal): string {
  return [
    ...removed.map((row) => {
      const others = keepers(row);
      const what = others.length > 0 ? `taken off (${keptFor(others)})` : "removed";
      return `${what}: ${row.object.object} on ${row.system.system}\n`;
    }),
    ...failed.map(({ row, message }) => `not removed: ${row.object.object} on ${row.system.system}: ${message}\n`),
  ].join("");
}

/** The same for machines. */
export function asJson({ site, leftovers, others, unasked }: Outcome, removal: Removal | undefined) {
  const plain = ({ object, system, mark, kept }: Row) => ({
    object: object.object,
    system: system.system,
    mark,
    ...(kept ? { kept } : {}),
  });
  return {
    site,
    leftovers: leftovers.map(plain),
    ofOtherOwners: others.map(plain),
    notAsked: unasked,
    ...(removal
      ? { removed: removal.removed.map(plain), notRemoved: removal.failed.map(({ row, message }) => ({ ...plain(row), message })) }
      : {}),
  };
}
