import { type Context, errorText, hasMark, withoutMark } from "../providers/kernel/index.ts";
import type { Row } from "./leftover-rows.ts";

export interface Removal {
  removed: Row[];
  failed: { row: Row; message: string }[];
}

/**
 * Removes what is left over, one after another and in the order of the systems; the others follow where one fails. What a system
 * still lists afterwards has failed, with what the removal said about it.
 */
export async function removeRows(context: Context, rows: readonly Row[]): Promise<Removal> {
  const result: Removal = { removed: [], failed: [] };
  for (const system of new Set(rows.map((row) => row.system))) {
    const tried: { row: Row; said: string }[] = [];
    for (const row of rows.filter((one) => one.system === system && one.kept === undefined)) {
      const said: string[] = [];
      const quiet = { ...context, mark: row.mark, warn: (text: string) => void said.push(text) };
      await system.remove(quiet, row.object).catch((error: unknown) => said.push(errorText(error)));
      tried.push({ row, said: said.join("; ") });
    }
    if (tried.length === 0) continue;
    try {
      const left = await system.list(context);
      for (const { row, said } of tried) {
        const now = left.find(({ key, object }) => key === row.object.key && object === row.object.object);
        if (now && hasMark(now.marks, row.mark)) result.failed.push({ row, message: said || "is still there" });
        else result.removed.push(row);
      }
    } catch (error) {
      for (const { row, said } of tried) result.failed.push({ row, message: said || errorText(error) });
    }
  }
  return result;
}

/** Who keeps an object whose mark was taken off. */
export const keepers = ({ object, mark }: Row) => withoutMark(object.marks, mark);
