import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Measured } from "./figure.ts";

/** A row as the file keeps it: rows may be measured at different times. */
export interface Result extends Measured {
  /** ISO 8601, UTC. */
  measured: string;
  /** `load` is the load average of a minute right after the last measurement: above that of the row itself, somebody else worked there. */
  machine: { cpus: number; model: string; node: string; load: number };
}

export function readResults(file: string): Result[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { results: Result[] }).results : [];
}

/** Puts one row into the file, instead of an earlier one. */
export function writeResult(file: string, result: Result): void {
  const others = readResults(file).filter((one) => one.id !== result.id);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ results: [...others, result] }, undefined, 2)}\n`);
}
