const controller = new AbortController();
let running = 0;
let installed = false;

/** Aborts when the process is told to stop. Jenkins signals every process of a job, so the provider hears it directly. */
export const shutdown: AbortSignal = controller.signal;

/** After the last running operation has answered, the engine gets this long to read it and end the process itself. */
const LINGER_MILLISECONDS = 20_000;

function stop(name: string): void {
  controller.abort(new Error(`interrupted by ${name}`));
  lingerWhenIdle();
}

function lingerWhenIdle(): void {
  if (controller.signal.aborted && running === 0) setTimeout(() => process.exit(0), LINGER_MILLISECONDS);
}

/** Called once, by the provider process only: a program that merely imports the kernel keeps Node's own behaviour. */
export function listenForSignals(): void {
  if (installed) return;
  installed = true;
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
}

/** Counts an operation as running until it has ended. */
export async function whileRunning<T>(operation: () => Promise<T>): Promise<T> {
  running++;
  try {
    return await operation();
  } finally {
    running--;
    lingerWhenIdle();
  }
}
