import { readFileSync } from "node:fs";
import { type Database, type Row, timeText } from "./database.ts";
import type { Reply } from "./envelope.ts";

/** Offerings that every database has, in the server's order; `kind` is the key of the list that shows them. */
const lines = readFileSync(new URL("offerings.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n");

export function seedOfferings(database: Database): void {
  for (const line of lines) {
    const { kind, ...fields } = JSON.parse(line) as Reply;
    database.insert("offering", { kind, name: fields.name, fields, created: timeText() });
  }
}

export function offering(database: Database, name: string): Row {
  const found = database.table("offering").find((one) => one.name === name);
  if (!found) throw new Error(`offering ${name} is not in the database`);
  return found;
}

export const offeringReply = (row: Row): Reply => ({ id: row.id, ...(row.fields as Reply), created: row.created });
