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

  /** To the next thing that is due, or to that time when nothing is before it. */
  advanceToNext(end: number): Promise<void> {
    return this.advance((this.#next(end)?.at ?? end) - this.#now);
  }

  #next(end: number): { at: number; run: () => void } | undefined {
    const due = [...this.#due].filter((one) => one.at <= end);
    return due.sort((one, other) => one.at - other.at)[0];
  }
}
