import { AsyncLocalStorage } from "node:async_hooks";
import pLimit from "p-limit";

/** Seconds an operation waits for its turn on remote servers; kept apart from its working time in the journal and the deadline. */
export class QueueMeter {
  #seconds = 0;
  readonly #waits = new Set<number>();

  /** Begins a wait; the function that it returns ends it. */
  begin(): () => void {
    const asked = performance.now();
    this.#waits.add(asked);
    return () => {
      if (this.#waits.delete(asked)) this.#seconds += (performance.now() - asked) / 1000;
    };
  }

  /** With the waits that go on. */
  get seconds(): number {
    const now = performance.now();
    return [...this.#waits].reduce((sum, asked) => sum + (now - asked) / 1000, this.#seconds);
  }
}

/** The meter of the operation that runs. */
export const queueing = new AsyncLocalStorage<QueueMeter>();

const limits = new Map<string, ReturnType<typeof pLimit>>();

/** The limiter of one remote server, shared by all resources of this process. */
export function limiter(key: string, concurrency: number): <T>(task: () => Promise<T>) => Promise<T> {
  let limit = limits.get(key);
  if (!limit) limits.set(key, (limit = pLimit(concurrency)));
  const shared = limit;
  return (task) => {
    const admitted = queueing.getStore()?.begin();
    return shared(() => {
      admitted?.();
      return task();
    });
  };
}

const pending = new Map<string, Promise<void>>();
const running = new Map<string, Promise<void>>();

/** Runs `run` once for all callers that ask before it starts; a caller that comes while it runs gets the next run. */
export function coalesce(key: string, run: () => Promise<void>): Promise<void> {
  const waiting = pending.get(key);
  if (waiting) return waiting;
  const before = running.get(key) ?? Promise.resolve();
  const turn = before
    .catch(() => undefined) // the failed run was reported to its own callers
    .then(async () => {
      // One turn of the event loop lets every caller of the same moment join.
      await new Promise<void>((resolve) => setImmediate(resolve));
      pending.delete(key);
      const current = run();
      running.set(key, current);
      await current;
    });
  pending.set(key, turn);
  return turn;
}

const sessions = new Map<string, Promise<unknown>>();

/** One shared object per process and key. A failed `open` is forgotten, so that the next caller tries anew. */
export function session<T>(key: string, open: () => Promise<T>): Promise<T> {
  const known = sessions.get(key);
  if (known) return known as Promise<T>;
  const opening = open();
  sessions.set(key, opening);
  opening.catch(() => {
    if (sessions.get(key) === opening) sessions.delete(key);
  });
  return opening;
}

/** Forgets a session, e.g. after its connection was cut; the next caller opens a new one. */
export function forgetSession(key: string): void {
  sessions.delete(key);
}
