import { spawn } from "node:child_process";
import { accessSync, constants, createWriteStream, mkdirSync, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { CommandError, exitStatus } from "./exit.ts";

/** The file that a command name means, looked up as a shell does. */
export function findExecutable(command: string, path: string): string {
  const candidates = command.includes("/") ? [command] : path.split(delimiter).map((folder) => join(folder || ".", command));
  const found = candidates.find(isExecutable);
  if (found) return found;
  throw new CommandError(exitStatus.input, `${command}: command not found. PATH is ${path}.`);
}

/**
 * Becomes the command: its signals and exit status are then the caller's without anyone in between. That matters because a second
 * SIGTERM or SIGINT makes Pulumi stop at once, so no signal may arrive twice.
 */
export function become(argv: readonly string[], environment: NodeJS.ProcessEnv): never {
  const [command = ""] = argv;
  const file = findExecutable(command, environment.PATH ?? "");
  if (!process.execve)
    throw new CommandError(exitStatus.input, "This Node cannot replace itself by a command (process.execve): run `make setup`.");
  process.execve(file, [...argv], defined(environment));
  throw new CommandError(exitStatus.infrastructure, `${file} could not be started.`);
}

/** How a command ended. */
export interface Ended {
  /** As a shell would see it. */
  status: number;
  /** Whether this process was asked to end meanwhile. */
  interrupted: boolean;
}

/** Runs a command with its output shown and kept in a file. */
export async function runLogged(argv: readonly string[], environment: NodeJS.ProcessEnv, folder: string, logFile: string): Promise<Ended> {
  const [command = "", ...rest] = argv;
  const file = findExecutable(command, environment.PATH ?? "");
  mkdirSync(dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile);
  const child = spawn(file, rest, { cwd: folder, env: environment, stdio: ["inherit", "pipe", "pipe"] });
  // A terminal's interrupt reaches the child by itself; everything else is sent to this process alone.
  let interrupted = false;
  const forward = (signal: NodeJS.Signals) => {
    interrupted = true;
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.on("data", (chunk: Buffer) => {
      to.write(chunk);
      log.write(chunk);
    });
  }
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? osConstants.signals[signal] : 0)));
    });
    return { status, interrupted };
  } finally {
    for (const signal of signals) process.off(signal, forward);
    log.end();
    await finished(log);
  }
}

/** Runs a command and returns what it printed; its standard error goes to ours. */
export async function capture(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  folder: string,
): Promise<{ status: number; output: string }> {
  const [command = "", ...rest] = argv;
  const child = spawn(findExecutable(command, environment.PATH ?? ""), rest, {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ status: code ?? 128 + (signal ? osConstants.signals[signal] : 0), output }));
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function defined(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
