import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { redact } from "./redact.ts";

/** One line of `.testbed/<stack>/journal.jsonl`. Times are ISO 8601 UTC, durations seconds. */
export interface JournalEntry {
  time: string;
  urn: string;
  type: string;
  name: string;
  operation: string;
  event: "start" | "phase" | "end";
  phase?: string;
  verdict?: "ok" | "failed" | "interrupted";
  /** Working time, without the wait for a turn on the remote server. */
  seconds?: number;
  queuedSeconds?: number;
  error?: string;
}

/** Appends one line in one write: after a kill at most the last line is torn. */
export function writeJournal(stack: string, entry: JournalEntry, projectFolder = process.cwd()): void {
  const folder = join(projectFolder, ".testbed", stack);
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, "journal.jsonl"), `${redact(JSON.stringify(entry))}\n`);
}
