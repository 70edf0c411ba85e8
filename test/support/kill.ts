import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { KillRow, Moment, Target } from "./kill-rows.ts";
import { providersLeft, siteContents, stateLines } from "./kill-site.ts";
import { processTree } from "./processes.ts";
import { Project } from "./project.ts";

/** What was there after the kill, the next `up` and the destroy. */
export interface Healed {
  up: number;
  /** What of the state is not as after an `up` that nobody interrupted, or what a preview would change. */
  state: string[];
  destroy: number;
  /** What is on the site, or runs, that was not there before. */
  left: string[];
  /** What to read when a row fails; empty when it does not. */
  log: string;
}

/** What every row must end with. */
export const healthy: Healed = { up: 0, state: [], destroy: 0, left: [], log: "" };

const WAIT_SECONDS = 240;

/**
 * A stack that is interrupted again and again: one host and the management server, a template to be seeded. Each row begins with an
 * empty state on an empty site.
 */
export class Victim {
  readonly #project = new Project();
  readonly #managementServer: boolean;
  #emptyState = "";
  #emptySite: string[] = [];
  #converged: string[] | undefined;

  constructor(options: { managementServer: boolean } = { managementServer: true }) {
    this.#managementServer = options.managementServer;
  }

  async start(): Promise<void> {
    this.#reduce();
    await this.#project.init();
    this.#emptyState = this.#project.state();
    this.#emptySite = await siteContents();
  }

  /**
   * Learns what an `up` that nobody interrupts makes. Its preview is empty, so a state that is the same needs no preview of its own,
   * which is as long as a quarter of a row.
   */
  async learn(): Promise<void> {
    await green(this.#project.up());
    this.#converged = stateLines(this.#project);
    await green(this.#project.preview("--expect-no-changes"));
    await green(this.#project.destroy());
  }

  stop(): void {
    this.#project.remove();
  }

  #reduce(): void {
    const project = this.#project;
    const image = gzipSync(Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(2_000_000)]));
    writeFileSync(join(project.folder, "system-vm.qcow2.gz"), image);
    const template = {
      url: `file://${project.folder}/system-vm.qcow2.gz`,
      sha256: createHash("sha256").update(image).digest("hex"),
    };
    project.edit("Pulumi.kvm.yaml", (text) =>
      text
        .replace("lab-kvm.cfg", "half-kvm.cfg")
        // With packages this release would seed its stores by itself.
        .replace("packages: http://10.91.0.1/lab/cloudstack", `systemVmTemplate: ${JSON.stringify(template)}`),
    );
    if (!this.#managementServer) {
      project.edit("Pulumi.kvm.yaml", (text) => text.replace("  cloudstack-testbed:managementServer:\n    profile: lab-management\n", ""));
    }
    project.edit("environments/lab/inventory.yaml", (text) => text.replace(/^ {2}(h1[234]|management-2): .*\n/gm, ""));
    project.edit("environments/lab/half-kvm.cfg", onlyFirstHosts);
  }

  /** Interrupts an `up` as the row says, goes on as an operator would, and takes everything down again. */
  async killAndHeal(row: KillRow): Promise<Healed> {
    let green = false;
    try {
      const healed = await this.#killAndHeal(row);
      green = healed.log === "";
      return healed;
    } finally {
      if (!green) await this.#clearUp();
      writeFileSync(this.#stateFile, this.#emptyState);
    }
  }

  async #killAndHeal(row: KillRow): Promise<Healed> {
    const project = this.#project;
    Object.assign(project.environment, { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: String(!row.checkpoints) });
    const interrupted = await this.#interruptedUp(row);
    // A killed CLI cannot take its lock away: its own message asks for this.
    const killedCli = row.signal === "SIGKILL" && row.target !== "the provider";
    const cancel = killedCli ? (await project.pulumi("cancel", "--yes", "--stack", project.stack)).output : "";
    const up = await project.up();
    const state = await this.#unconverged();
    const destroy = await project.destroy();
    const orphans = difference(await siteContents(), this.#emptySite);
    const left = [...orphans, ...(await providersLeft(project.folder))];
    const red = up.status + state.length + destroy.status + left.length > 0;
    const log = red ? [interrupted, cancel, up.output, destroy.output].join("\n-----\n") : "";
    return { up: up.status, state, destroy: destroy.status, left, log };
  }

  async #unconverged(): Promise<string[]> {
    if (this.#converged) return difference(stateLines(this.#project), this.#converged);
    const { status, output } = await this.#project.preview("--expect-no-changes");
    return status === 0 ? [] : [output];
  }

  /** A row that failed must not spoil the next. */
  async #clearUp(): Promise<void> {
    await this.#project.pulumi("cancel", "--yes", "--stack", this.#project.stack);
    await this.#project.up();
    await this.#project.destroy();
  }

  get #stateFile(): string {
    return join(this.#project.folder, `.testbed/state/.pulumi/stacks/cloudstack-testbed/${this.#project.stack}.json`);
  }

  /** Starts `up`, sends the signal at the moment, and waits for the end of the CLI. Its output. */
  async #interruptedUp({ moment, target, signal }: KillRow): Promise<string> {
    const { folder, environment, stack } = this.#project;
    const journal = new Journal(join(folder, `.testbed/${stack}/journal.jsonl`));
    const child = spawn("pulumi", ["up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive"], {
      cwd: folder,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const ended = once(child, "exit", { signal: AbortSignal.timeout(2 * WAIT_SECONDS * 1000) });
    const came = await reached(journal, moment, child);
    for (const pid of victims(child.pid ?? 0, came ? target : "everything")) signalIfThere(pid, came ? signal : "SIGKILL");
    await ended;
    if (!came) throw new Error(`"${moment.name}" never came:\n${output}`);
    return output;
  }
}

async function green(run: Promise<{ status: number; output: string }>): Promise<void> {
  const { status, output } = await run;
  if (status !== 0) throw new Error(`without any interruption:\n${output}`);
}

/** One host in every cluster. */
function onlyFirstHosts(marvin: string): string {
  const { zones, ...rest } = JSON.parse(marvin.replace(/^#.*$/gm, "")) as {
    zones: { pods: { clusters: { hosts: unknown[] }[] }[] }[];
  };
  for (const zone of zones) for (const pod of zone.pods) for (const cluster of pod.clusters) cluster.hosts.length = 1;
  return JSON.stringify({ zones, ...rest });
}

/** What only one of two lists has. */
function difference(seen: readonly string[], expected: readonly string[]): string[] {
  const without = (list: readonly string[], other: readonly string[]) => list.filter((line) => !other.includes(line));
  return [...without(seen, expected).map((line) => `+ ${line}`), ...without(expected, seen).map((line) => `- ${line}`)];
}

function victims(cli: number, target: Target): number[] {
  const tree = processTree(cli);
  if (target === "the CLI") return [cli];
  if (target === "everything") return tree.map((one) => one.pid);
  const providers = tree.filter((one) => one.command.includes("cmd/dynamic-provider"));
  if (providers.length === 0) throw new Error(`no provider process below pulumi; there are: ${tree.map((one) => one.command).join("; ")}`);
  return providers.map((one) => one.pid);
}

/** One that ended between the look and the signal is as good as hit. */
function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function reached(journal: Journal, moment: Moment, cli: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + WAIT_SECONDS * 1000;
  while (!journal.news().some((entry) => isMoment(entry, moment))) {
    if (cli.exitCode !== null || performance.now() > deadline) return false;
    await pause(10);
  }
  return true;
}

interface Entry {
  type: string;
  event: string;
  phase?: string;
}

function isMoment(entry: Entry, moment: Moment): boolean {
  return entry.type === moment.type && moment.lines.includes(entry.event === "phase" ? (entry.phase ?? "") : entry.event);
}

/** The lines of a journal from now on. */
class Journal {
  readonly #file: string;
  #size: number;

  constructor(file: string) {
    this.#file = file;
    this.#size = existsSync(file) ? statSync(file).size : 0;
  }

  news(): Entry[] {
    if (!existsSync(this.#file) || statSync(this.#file).size === this.#size) return [];
    const bytes = readFileSync(this.#file);
    const end = bytes.lastIndexOf("\n") + 1;
    const lines = bytes.subarray(this.#size, end).toString().split("\n").slice(0, -1);
    this.#size = end;
    // A kill may have torn a line.
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Entry];
      } catch {
        return [];
      }
    });
  }
}
