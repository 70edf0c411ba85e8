import { watchEngine } from "./engine-watch.ts";

const controller = new AbortController();
let running = 0;
let installed = false;

/** Aborts when the process is told to stop. Jenkins signals every process of a job, so the provider hears it directly. */
export const shutdown: AbortSignal = controller.signal;

/**
 * After the last running operation has ended, its answer needs this long to reach the engine. Not longer: the engine ends its
 * providers by SIGINT too, after every preview, and waits up to 5 s for them.
 */
const ANSWER_MILLISECONDS = 250;

function stop(name: string): void {
  controller.abort(new Error(`interrupted by ${name}`));
  endWhenIdle();
}

function endWhenIdle(): void {
  if (!controller.signal.aborted || running > 0) return;
  setTimeout(() => {
    // An operation that came meanwhile ends by the abort, and then the process.
    if (running === 0) process.exit(0);
  }, ANSWER_MILLISECONDS);
}

/** Called once, by the provider process only: a program that merely imports the kernel keeps Node's own behaviour. */
export function listenForSignals(): void {
  if (installed) return;
  installed = true;
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  const engine = process.argv[2];
  if (engine && /^[\w.-]+:\d+$/.test(engine)) watchEngine(engine, () => stop("the end of the engine"));
}

/** Counts an operation as running until it has ended. */
export async function whileRunning<T>(operation: () => Promise<T>): Promise<T> {
  running++;
  try {
    return await operation();
  } finally {
    running--;
    endWhenIdle();
  }
}
