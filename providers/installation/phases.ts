import type { Context } from "../kernel/index.ts";

/** One phase of an installation with its seconds. */
export interface Phase {
  phase: string;
  seconds: number;
}

/** Times the phases of one installation, and shows each as it begins. */
export class Phases {
  readonly list: Phase[] = [];
  readonly #context: Context;
  #current: string | undefined;
  #since = performance.now();

  constructor(context: Context) {
    this.#context = context;
  }

  begin(phase: string): void {
    if (phase === this.#current) return;
    this.end();
    this.#current = phase;
    this.#context.phase(phase);
  }

  end(): void {
    const now = performance.now();
    if (this.#current !== undefined) this.list.push({ phase: this.#current, seconds: Math.round(now - this.#since) / 1000 });
    this.#since = now;
    this.#current = undefined;
  }
}
