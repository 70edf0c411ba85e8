import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Lab, labExecArguments, startLab, stopLab } from "../lab/index.ts";

export const checkout: string = join(import.meta.dirname, "..");
/** Everything that a benchmark leaves, until the next one. */
export const benchFolder: string = join(checkout, ".testbed/bench");
/** A lab of its own: no stack's lab is slowed or changed. */
export const benchLab: Lab = { checkout, site: "lab", state: join(benchFolder, "lab") };

export interface Run {
  status: number;
  output: string;
  seconds: number;
  /** CPU of the command and all that it started, in seconds: unlike the wall time it does not depend on who else uses the machine. */
  cpuSeconds: number;
  /** Largest resident memory that any process matching `watch` had, in MB; 0 where none was seen. */
  peakMegabytes: number;
}

export interface RunOptions {
  folder?: string;
  environment?: NodeJS.ProcessEnv;
  stdin?: string;
  /** In the benchmarks' own lab, or in another. */
  inLab?: boolean | Lab;
  /** Part of the command line of a descendant whose memory is watched. */
  watch?: string;
  limitSeconds?: number;
}

/** Runs its arguments, and writes to descriptor 3 what CPU they took. */
const ACCOUNTED = '"$@" 3>&-; status=$?; times >&3; exit $status';

/** Runs a command to its end and times it. Fails when the command does. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const folder = options.folder ?? checkout;
  const lab = options.inLab === true ? benchLab : options.inLab;
  const command = lab ? labExecArguments(lab, folder, argv) : argv;
  const began = performance.now();
  const child = spawn("sh", ["-c", ACCOUNTED, "sh", ...command], {
    cwd: folder,
    env: options.environment ?? process.env,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const limit = setTimeout(() => killAll(child.pid), (options.limitSeconds ?? 1800) * 1000);
  let output = "";
  let times = "";
  (child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => (times += text));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.on("error", () => undefined); // a command that does not read its input may close it first
  child.stdin.end(options.stdin ?? "");
  let peakMegabytes = 0;
  const look = options.watch
    ? setInterval(() => (peakMegabytes = Math.max(peakMegabytes, megabytesOf(child.pid ?? 0, options.watch ?? ""))), 250)
    : undefined;
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? -1));
  });
  clearInterval(look);
  clearTimeout(limit);
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with status ${status}:\n${output.slice(-2000)}`);
  return { status, output, seconds, cpuSeconds: cpuIn(times), peakMegabytes };
}

/** User and system time in what `times` prints, e.g. `0m0.01s 0m0.00s` of the shell and a line of what it started. */
function cpuIn(times: string): number {
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

/** CPU seconds that the lab's processes have used so far, with those that have ended. */
export function labCpuSeconds(): number {
  const { pid } = JSON.parse(readFileSync(join(benchLab.state, "holder.json"), "utf8")) as { pid: number };
  const ticks = descendants(pid, processes()).map((row) => {
    try {
      const fields = readFileSync(`/proc/${row.pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
    } catch {
      return 0; // it ended meanwhile
    }
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

/** The wall seconds of some work with the lab, and the CPU seconds of its commands and of the lab. */
export async function accounted(work: () => Promise<{ seconds: number; cpuSeconds: number }>): Promise<{ wall: number; cpu: number }> {
  const before = labCpuSeconds();
  const { seconds, cpuSeconds } = await work();
  return { wall: seconds, cpu: cpuSeconds + labCpuSeconds() - before };
}

function killAll(ancestor = 0): void {
  for (const { pid } of descendants(ancestor, processes())) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended meanwhile
    }
  }
}

/** Resident memory of the descendants of a process whose command line holds the text, in MB. */
function megabytesOf(ancestor: number, text: string): number {
  const rows = descendants(ancestor, processes()).filter((row) => row.command.includes(text));
  return rows.reduce((sum, row) => sum + row.kilobytes, 0) / 1024;
}

interface ProcessRow {
  pid: number;
  parent: number;
  kilobytes: number;
  command: string;
}

/** The process and all below it. */
function descendants(ancestor: number, rows: readonly ProcessRow[]): ProcessRow[] {
  const below = new Set([ancestor]);
  for (let size = -1; size !== below.size; ) {
    size = below.size;
    for (const row of rows) if (below.has(row.parent)) below.add(row.pid);
  }
  return rows.filter((row) => below.has(row.pid));
}

function processes(): ProcessRow[] {
  return execFileSync("ps", ["-eo", "pid=,ppid=,rss=,args="], { encoding: "utf8", maxBuffer: 2 ** 26 })
    .split("\n")
    .flatMap((line) => {
      const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
      return found ? [{ pid: Number(found[1]), parent: Number(found[2]), kilobytes: Number(found[3]), command: found[4] ?? "" }] : [];
    });
}

/** Proportional memory of a process and all its descendants, in MB: a page that several share counts once. */
export function treeMegabytes(pid: number): number {
  const kilobytes = descendants(pid, processes()).map((row) => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${row.pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0; // it ended meanwhile
    }
  });
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

/** Starts the benchmark's lab where it does not run yet. */
export async function ensureLab(): Promise<void> {
  await startLab(benchLab, { machines: "light" });
}

export function endLab(): Promise<unknown> {
  return stopLab(benchLab);
}
