import { coalesce } from "./concurrency.ts";
import { errorText, TestbedError } from "./errors.ts";

/** Waits for work that others wait for too: this caller's signal ends its own wait, never the work. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, waiting: { system: string; object: string }): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () =>
      reject(
        new TestbedError({
          ...waiting,
          kind: "timeout",
          code: "interrupted",
          message: `interrupted while waiting for it (${errorText(signal.reason)})`,
        }),
      );
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** The callers of one shared run. Its signal aborts once every one of them has given up. */
class Callers {
  readonly #controller = new AbortController();
  #waiting = 0;
  #begun = false;

  join(signal: AbortSignal): void {
    this.#waiting++;
    const leave = () => {
      this.#waiting--;
      this.#abortWhenAlone(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  }

  /** Until the run begins, others may still join: only then does an empty round end it. */
  begin(): AbortSignal {
    this.#begun = true;
    this.#abortWhenAlone(new Error("every caller has given up"));
    return this.#controller.signal;
  }

  #abortWhenAlone(reason: unknown): void {
    if (this.#begun && this.#waiting === 0) this.#controller.abort(reason);
  }
}

/** A signal that aborts once all of them have: for work that is done for several callers at once. */
export function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const callers = new Callers();
  for (const signal of signals) callers.join(signal);
  return callers.begin();
}

const rounds = new Map<string, Callers>();

/** Runs `run` once for all callers that ask before it starts. A caller that is cancelled leaves; the others get their result. */
export function shared(key: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  let callers = rounds.get(key);
  if (!callers) rounds.set(key, (callers = new Callers()));
  const round = callers;
  round.join(signal);
  return coalesce(key, () => {
    rounds.delete(key);
    return run(round.begin());
  });
}
