import pRetry from "p-retry";
import { errorText, TestbedError } from "./errors.ts";

export interface WaitOptions {
  timeoutSeconds: number;
  /** Between two probes; a function is given the seconds waited so far. */
  everySeconds: number | ((waitedSeconds: number) => number);
  object: string;
  system: string;
  /** What the reader of a timeout can do about it. */
  remedy?: string;
}

/** Either the result, or what was seen instead: the text that a timeout reports as its last observation. */
export type Probe<T> = { done: T } | { seen: string };

/** Asks `probe` until it is done. Ends at the limit with what was waited for, how long, and the last observation. */
export async function waitFor<T>(
  what: string,
  scope: { signal: AbortSignal },
  options: WaitOptions,
  probe: () => Promise<Probe<T>>,
): Promise<T> {
  const started = performance.now();
  for (let last = "nothing yet"; ; ) {
    const seen = await probe();
    if ("done" in seen) return seen.done;
    last = seen.seen;
    const waited = (performance.now() - started) / 1000;
    const left = options.timeoutSeconds - waited;
    if (left <= 0 || scope.signal.aborted) {
      throw new TestbedError({
        system: options.system,
        object: options.object,
        kind: "timeout",
        message: `waited ${Math.round(waited)} s for ${what}${scope.signal.aborted ? ` (${errorText(scope.signal.reason)})` : ""}; last seen: ${last}`,
        ...(options.remedy ? { remedy: options.remedy } : {}),
      });
    }
    const every = typeof options.everySeconds === "number" ? options.everySeconds : options.everySeconds(waited);
    await pause(Math.min(every, left) * 1000, scope.signal);
  }
}

/**
 * Tries an idempotent action again, with growing jittered pauses, as long as the system is only unreachable; not beyond
 * `limitSeconds`, by default as long as the pauses of six tries take.
 */
export function retry<T>(signal: AbortSignal, action: () => Promise<T>, limitSeconds = Number.POSITIVE_INFINITY): Promise<T> {
  return pRetry(action, {
    retries: 6,
    factor: 2,
    minTimeout: 250,
    maxTimeout: 8000,
    randomize: true,
    maxRetryTime: limitSeconds * 1000,
    signal,
    shouldRetry: ({ error }) => error instanceof TestbedError && error.kind === "unreachable",
  });
}

/** Resolves after the time, or at once when the signal aborts: whoever waits looks at the signal next. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}
