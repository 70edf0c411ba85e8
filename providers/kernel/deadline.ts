import type { QueueMeter } from "./concurrency.ts";

/**
 * A signal that aborts once an operation has worked for that many seconds. The wait for a turn on a remote server does not count: of a
 * thousand resources of one server the last waits longer than any of them may take.
 * @returns the signal, and what ends the watch
 */
export function deadline(seconds: number, meter: QueueMeter): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const started = performance.now();
  let timer: NodeJS.Timeout;
  const watch = () => {
    const worked = (performance.now() - started) / 1000 - meter.seconds;
    if (worked >= seconds) controller.abort(new Error(`not finished after ${seconds} s of work`));
    else timer = setTimeout(watch, Math.ceil((seconds - worked) * 1000)).unref();
  };
  watch();
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}
