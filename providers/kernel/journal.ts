import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { redact } from "./redact.ts";

/** One line of `.testbed/<stack>/journal.jsonl`. Times are ISO 8601 UTC, durations seconds. */
export interface JournalEntry {
  /** When the line was written. */
  time: string;
  /** The resource's URN, as in `pulumi stack --show-urns`. */
  urn: string;
  /** The resource's type, e.g. `cobbler:System`. */
  type: string;
  /** The resource's name, the last part of the URN. */
  name: string;
  /** `create`, `update`, `read` or `delete`. */
  operation: string;
  /** Each operation has one `start`, any number of `phase`, and one `end` unless its process was killed. */
  event: "start" | "phase" | "end";
  /** With `phase`: what the resource's row showed from then on; a warning begins with `warning: `. */
  phase?: string;
  /** With `end`: how the operation ended; `interrupted` means by a signal. */
  verdict?: "ok" | "failed" | "interrupted";
  /** With `end`: working time, without the wait for a turn on the remote server. */
  seconds?: number;
  /** With `end`: the wait for a turn on the remote server. */
  queuedSeconds?: number;
  /** With `end`, where it did not end well: the text that the engine showed, secrets replaced by `[secret]`. */
  error?: string;
}

/** Appends one line in one write: after a kill at most the last line is torn. */
export function writeJournal(stack: string, entry: JournalEntry, projectFolder = process.cwd()): void {
  const folder = join(projectFolder, ".testbed", stack);
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, "journal.jsonl"), `${redact(JSON.stringify(entry))}\n`);
}
