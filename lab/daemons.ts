import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface Daemon {
  name: string;
  command: string[];
  folder?: string;
  environment?: Record<string, string>;
}

/** The supervisor's children: each with a log of its own, each named when it ends before it is told to. */
export class Daemons {
  readonly #children = new Map<string, ChildProcess>();
  readonly #ended = new Map<string, string>();
  readonly #log: string;

  constructor(log: string) {
    this.#log = log;
  }

  start(daemon: Daemon): void {
    const log = openSync(join(this.#log, `${daemon.name}.log`), "a");
    const [program, ...args] = daemon.command as [string, ...string[]];
    const child = spawn(program, args, {
      cwd: daemon.folder ?? "/",
      stdio: ["ignore", log, log],
      env: { ...process.env, ...daemon.environment },
    });
    this.#children.set(daemon.name, child);
    child.once("error", (error) => this.#ended.set(daemon.name, error.message));
    child.once("exit", (code, signal) => this.#ended.set(daemon.name, `ended with ${signal ?? `status ${code}`}`));
  }

  pid(name: string): number | undefined {
    return this.#children.get(name)?.pid;
  }

  signal(name: string, signal: NodeJS.Signals): boolean {
    return this.#children.get(name)?.kill(signal) ?? false;
  }

  status(): Record<string, string> {
    return Object.fromEntries([...this.#children.keys()].map((name) => [name, this.#ended.get(name) ?? "running"]));
  }

  /** Waits until the probe answers; says which daemon it was and what it said when it does not. */
  async ready(name: string, probe: () => Promise<boolean>, limitSeconds = 20): Promise<void> {
    const deadline = performance.now() + limitSeconds * 1000;
    for (let last = "no answer yet"; ; ) {
      const ended = this.#ended.get(name);
      if (ended) throw new Error(`${name} ${ended}: see ${join(this.#log, `${name}.log`)}`);
      try {
        if (await probe()) return;
      } catch (error) {
        last = String(error);
      }
      if (performance.now() > deadline)
        throw new Error(`${name} is not ready after ${limitSeconds} s (${last}): see ${join(this.#log, `${name}.log`)}`);
      await pause(50);
    }
  }
}
