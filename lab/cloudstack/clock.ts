/** Time as an emulated server counts it. */
export interface Clock {
  /** Calls back after so many of the server's seconds; the result takes that back. */
  after(seconds: number, run: () => void): () => void;
}

/** The machine's own time, by a factor: below 1 the server's delays are shorter, in the same order. */
export class ScaledClock implements Clock {
  readonly #factor: number;

  constructor(factor = 1) {
    this.#factor = factor;
  }

  after(seconds: number, run: () => void): () => void {
    const timer = setTimeout(run, seconds * 1000 * this.#factor);
    timer.unref();
    return () => clearTimeout(timer);
  }
}
