import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { askControl, type ControlReply } from "./control.ts";
import { childNamespace, processesIn } from "./pid-namespace.ts";
import { type LabSettings, labSettings } from "./settings.ts";

/** One lab: where its state lies and which site it serves. */
export interface Lab {
  checkout: string;
  state: string;
  site: string;
}

interface Holder {
  pid: number;
  /** Field 22 of /proc/PID/stat: a pid alone may belong to another process by now. */
  startTime: string;
  /** The PID namespace of all that it started; noted once the lab serves. */
  namespace?: string;
}

export interface LabStatus extends LabSettings {
  /** `running`, or how it ended. */
  daemons: Record<string, string>;
  hosts: {
    name: string;
    power: string;
    bootDevice: string;
    /** What the console told last; empty when the machine is off. */
    runs: string;
    /** What was installed on the disk; absent when nothing was. */
    installed?: { profile: string; generation: string };
    /** Remaining count per fault; null: until cleared. */
    faults: Record<string, number | null>;
  }[];
  xenServer: {
    faults: Record<string, number | null>;
    virtualMachines: {
      name: string;
      power: string;
      runs: string;
      installed?: { profile: string; generation: string };
      faults: Record<string, number | null>;
    }[];
  };
}

const cacheFolder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "cloudstack-testbed");
const holderFile = (lab: Lab) => join(lab.state, "holder.json");
const socketFile = (lab: Lab) => join(lab.state, "control.sock");

function startTime(pid: number): string | undefined {
  try {
    // The second field is the program's name and may hold spaces: count from its closing bracket.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined; // no such process
  }
}

function notedHolder(lab: Lab): Holder | undefined {
  return existsSync(holderFile(lab)) ? (JSON.parse(readFileSync(holderFile(lab), "utf8")) as Holder) : undefined;
}

function holderOf(lab: Lab): Holder | undefined {
  const holder = notedHolder(lab);
  return holder && startTime(holder.pid) === holder.startTime ? holder : undefined;
}

/**
 * Starts the lab and returns when every daemon answers. Does nothing when it runs already.
 * @param wishes refused when the lab has been something else since its first start
 */
export async function startLab(lab: Lab, wishes: Partial<LabSettings> = {}, limitSeconds = 60): Promise<"started" | "running"> {
  const settings = labSettings(lab.state, lab.site, wishes);
  if (holderOf(lab)) {
    // A lab that lost a daemon looks alive but cannot serve; one just killed may still answer once. Both are started anew.
    const status = await labStatus(lab).catch(() => undefined);
    if (status && Object.values(status.daemons).every((state) => state === "running") && holderOf(lab)) return "running";
  }
  // Also where the holder is gone: what it held may not be yet.
  await stopLab(lab);
  rmSync(socketFile(lab), { force: true });
  mkdirSync(join(lab.state, "log"), { recursive: true });
  const logFile = join(lab.state, "log/supervisor.log");
  const log = openSync(logFile, "a");
  const cache = cacheFolder();
  const child = spawn(
    "unshare",
    [
      "--net",
      "--mount",
      "bash",
      join(lab.checkout, "lab/namespaces.sh"),
      lab.state,
      cache,
      lab.checkout,
      process.execPath,
      lab.checkout,
      cache,
      lab.state,
      JSON.stringify(settings),
    ],
    { detached: true, stdio: ["ignore", log, log] },
  );
  child.unref();
  let ended: string | undefined;
  child.once("exit", (code, signal) => {
    ended = signal ?? `status ${code}`;
  });
  child.once("error", (error) => {
    ended = error.message;
  });
  if (child.pid !== undefined) writeFileSync(holderFile(lab), JSON.stringify({ pid: child.pid, startTime: startTime(child.pid) }));
  const deadline = performance.now() + limitSeconds * 1000;
  while (!existsSync(socketFile(lab))) {
    if (ended !== undefined) throw new Error(`the lab ended while it started (${ended}); last lines of ${logFile}:\n${lastLines(logFile)}`);
    if (performance.now() > deadline) {
      await stopLab(lab);
      throw new Error(`the lab is not ready after ${limitSeconds} s; last lines of ${logFile}:\n${lastLines(logFile)}`);
    }
    await pause(50);
  }
  const holder = holderOf(lab);
  if (holder) writeFileSync(holderFile(lab), JSON.stringify({ ...holder, namespace: childNamespace(holder.pid) }));
  return "started";
}

/** Ends every process of the lab; disks and daemons' data stay in the state folder. */
export async function stopLab(lab: Lab, limitSeconds = 10): Promise<"stopped" | "not running"> {
  const noted = notedHolder(lab);
  const holder = holderOf(lab);
  rmSync(socketFile(lab), { force: true });
  const namespace = noted?.namespace ?? (holder && childNamespace(holder.pid));
  // KILL: `unshare --fork` ignores TERM, and the kernel ends everything in the PID namespace with its holder.
  if (holder) process.kill(holder.pid, "SIGKILL");
  const deadline = performance.now() + limitSeconds * 1000;
  const left = () => [
    ...(holder && startTime(holder.pid) !== undefined ? [holder.pid] : []),
    ...(namespace === undefined ? [] : processesIn(namespace)),
  ];
  for (let pids = left(); pids.length > 0; pids = left()) {
    // Of a holder that is long gone nothing is left: by now its namespace's number may be another one's.
    if (performance.now() > deadline && !holder) break;
    if (performance.now() > deadline)
      throw new Error(`processes ${pids.join(", ")} of the lab are still there ${limitSeconds} s after SIGKILL`);
    await pause(20);
  }
  rmSync(holderFile(lab), { force: true });
  return holder ? "stopped" : "not running";
}

/** Stops the lab and forgets disks, objects and logs. */
export async function resetLab(lab: Lab): Promise<void> {
  await stopLab(lab);
  rmSync(lab.state, { recursive: true, force: true });
}

export async function labCommand(lab: Lab, words: string[]): Promise<ControlReply> {
  if (!holderOf(lab)) throw new Error(`the lab is not running (${lab.state}): start it with \`testbed lab start\``);
  return askControl(socketFile(lab), words);
}

export async function labStatus(lab: Lab): Promise<LabStatus> {
  const reply = await labCommand(lab, ["status"]);
  if (!reply.ok) throw new Error(reply.error);
  return reply.value as LabStatus;
}

/** The command line that runs a command inside the lab's namespaces, in the same working directory. */
export function labExecArguments(lab: Lab, folder: string, command: readonly string[]): string[] {
  const holder = holderOf(lab);
  if (!holder) throw new Error(`the lab is not running (${lab.state}): start it with \`testbed lab start\``);
  // nsenter --mount leaves the working directory behind; the shell goes back to it by name and then is the command.
  return [
    "nsenter",
    "--target",
    String(holder.pid),
    "--net",
    "--mount",
    "--",
    "/bin/sh",
    "-c",
    'cd "$1" && shift && exec "$@"',
    "sh",
    folder,
    ...command,
  ];
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-15).join("\n");
}
