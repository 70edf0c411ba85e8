import { Failure } from "./failure.ts";
import type { Sabotage } from "./toolstack.ts";

/** What the XenServer can be told to do wrong. Those with a count end when it is used up; all end with `clear`. */
export const serverFaults = {
  "task-fails": "the next task fails",
  "task-hangs": "the next task never ends",
  "session-expires": "every session ends at once",
  "sr-full": "no storage repository has room",
  "no-tools": "guests cannot be asked to shut down",
  "connection-cut": "the next call that changes something is done, and its connection is cut before the answer",
  "http-500": "the next call that changes something is answered with HTTP 500 and not done",
  "wrong-certificate": "the server shows another certificate",
  slave: "the other host of the pool is its coordinator",
  down: "connections are refused",
  "answers-CODE": "the next call that changes something is answered with the error CODE",
} as const;
export type ServerFault = Exclude<keyof typeof serverFaults, "answers-CODE">;

/** What VMs can be told to do wrong beyond what every machine can. */
export const vmFaults = { deleted: "somebody deletes the VM by hand; its disks stay" } as const;

/** JSON knows no infinity: a fault without an end has no count. */
export function countsOf(faults: ReadonlyMap<string, number>): Record<string, number | null> {
  return Object.fromEntries([...faults].map(([kind, left]) => [kind, Number.isFinite(left) ? left : null]));
}

/** The faults of one server that are active, with their remaining count. */
export class ActiveFaults implements Sabotage {
  readonly #left = new Map<string, number>();

  set(kind: string, count: number): void {
    this.#left.set(kind, count);
  }

  clear(): void {
    this.#left.clear();
  }

  list(): Record<string, number | null> {
    return countsOf(this.#left);
  }

  active(kind: string): boolean {
    return this.#left.has(kind);
  }

  /** Uses up one count; true when the fault was active. */
  take(kind: string): boolean {
    const left = this.#left.get(kind);
    if (left === undefined) return false;
    if (left <= 1) this.#left.delete(kind);
    else this.#left.set(kind, left - 1);
    return true;
  }

  before(): void {
    for (const kind of this.#left.keys()) {
      const [, code] = /^answers-(.*)$/.exec(kind) ?? [];
      if (code && this.take(kind)) throw new Failure(code, "injected", "by", "the lab");
    }
  }

  task(): "runs" | "hangs" {
    if (this.take("task-fails")) throw new Failure("INTERNAL_ERROR", "the lab was told to let a task fail");
    return this.take("task-hangs") ? "hangs" : "runs";
  }
}
