import type { Clock } from "../../lab/cloudstack/clock.ts";

/** Time of an emulated server that goes on only when a test says so. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #due = new Set<{ at: number; run: () => void }>();

  get now(): number {
    return this.#now;
  }

  after(seconds: number, run: () => void): () => void {
    const one = { at: this.#now + seconds, run };
    this.#due.add(one);
    return () => this.#due.delete(one);
  }

  /** Lets so many seconds pass; what is due in them happens, in its order. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#due.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = end;
  }

  #next(end: number): { at: number; run: () => void } | undefined {
    const due = [...this.#due].filter((one) => one.at <= end);
    return due.sort((one, other) => one.at - other.at)[0];
  }
}
