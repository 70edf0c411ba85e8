import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface Daemon {
  name: string;
  command: string[];
  environment?: Record<string, string>;
  /** Tells whether it serves; without it, a running process is enough. */
  ready?: () => Promise<boolean>;
}

interface Child {
  daemon: Daemon;
  process: ChildProcess;
  /** Why it is no longer there. */
  ended?: string;
  /** It is started again when it ends. */
  revived?: boolean;
}

/** The supervisor's children: each with a log of its own, each named when it ends before it is told to. */
export class Daemons {
  readonly #children = new Map<string, Child>();
  readonly #log: string;

  constructor(log: string) {
    this.#log = log;
  }

  start(daemon: Daemon): void {
    const log = openSync(this.#logOf(daemon.name), "a");
    const [program, ...args] = daemon.command as [string, ...string[]];
    const environment = { ...process.env, ...daemon.environment };
    const child: Child = { daemon, process: spawn(program, args, { cwd: "/", stdio: ["ignore", log, log], env: environment }) };
    closeSync(log);
    this.#children.set(daemon.name, child);
    child.process.once("error", (error) => {
      child.ended = error.message;
    });
    child.process.once("exit", (code, signal) => {
      child.ended = `ended with ${signal ?? `status ${code}`}`;
      if (child.revived) this.start(daemon);
    });
  }

  has(name: string): boolean {
    return this.#children.has(name);
  }

  names(): string[] {
    return [...this.#children.keys()];
  }

  status(): Record<string, string> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, child.ended ?? "running"]));
  }

  pid(name: string): number | undefined {
    return this.#child(name).process.pid;
  }

  signal(name: string, signal: NodeJS.Signals): boolean {
    return this.#child(name).process.kill(signal);
  }

  /** Starts the daemon again, once, when it ends. */
  revive(name: string): void {
    this.#child(name).revived = true;
  }

  /** Ends a daemon and waits for its end; does nothing when it has ended already. */
  async stop(name: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child(name);
    if (child.ended !== undefined) return;
    const ended = new Promise((resolve) => child.process.once("exit", resolve));
    child.process.kill(signal);
    await ended;
  }

  /** Ends a daemon, starts it with the same command or one made once it has ended (its files are nobody's then), and waits until it serves. */
  async restart(name: string, prepare?: () => string[]): Promise<void> {
    const { daemon } = this.#child(name);
    await this.stop(name);
    this.start(prepare ? { ...daemon, command: prepare() } : daemon);
    await this.ready(name);
  }

  /** Waits until the daemon serves; says which it was and what it said last when it does not. */
  async ready(name: string, limitSeconds = 20): Promise<void> {
    const deadline = performance.now() + limitSeconds * 1000;
    const child = this.#child(name);
    const probe = child.daemon.ready ?? (async () => true);
    for (let last = "no answer yet"; ; ) {
      if (child.ended !== undefined) throw new Error(`${name} ${child.ended}: see ${this.#logOf(name)}`);
      try {
        if (await probe()) return;
      } catch (error) {
        last = String(error);
      }
      if (performance.now() > deadline) throw new Error(`${name} is not ready after ${limitSeconds} s (${last}): see ${this.#logOf(name)}`);
      await pause(20);
    }
  }

  #child(name: string): Child {
    const child = this.#children.get(name);
    if (!child) throw new Error(`there is no daemon ${name}; daemons are ${this.names().join(", ")}`);
    return child;
  }

  #logOf(name: string): string {
    return join(this.#log, `${name}.log`);
  }
}

/** A probe: does something listen there? */
export function answersTcp(host: string, port: number): () => Promise<boolean> {
  return () =>
    new Promise((resolve) => {
      const socket = createConnection({ host, port });
      socket.once("error", () => resolve(false));
      socket.once("connect", () => {
        socket.end();
        resolve(true);
      });
    });
}
