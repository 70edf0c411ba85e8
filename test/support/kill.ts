import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { processesIn, processTree } from "./processes.ts";
import { Project } from "./project.ts";

export type Target = "the CLI" | "the provider" | "everything";
export type Signal = "SIGTERM" | "SIGKILL";

/** When the signal comes: with the first journal line of a type that is one of these, since a short phase may not be seen by itself. */
export interface Moment {
  name: string;
  type: string;
  lines: readonly string[];
}

export interface KillRow {
  moment: Moment;
  target: Target;
  signal: Signal;
  checkpoints: boolean;
}

const start = (type: string): Moment => ({ name: `a ${type} begins`, type, lines: ["start"] });
const phases = ["arming cobbler", "powering off", "arming PXE", "powering on", "network boot", "installing", "rebooting", "proving", "end"];

export const moments: readonly Moment[] = [
  start("site:Lease"),
  start("dnsmasq:Host"),
  start("cobbler:Template"),
  start("cobbler:Distro"),
  start("cobbler:Profile"),
  { name: "cobbler is synced", type: "cobbler:Sync", lines: ["full sync", "end"] },
  start("cobbler:System"),
  { name: "a system is written", type: "cobbler:System", lines: ["creating", "end"] },
  // From the phase on: what comes later in the list has passed it.
  ...phases.slice(0, -1).map((name, index): Moment => ({ name: `a host is ${name}`, type: "baremetal:Host", lines: phases.slice(index) })),
];

const targets: readonly Target[] = ["the CLI", "the provider", "everything"];
const signals: readonly Signal[] = ["SIGTERM", "SIGKILL"];

export const rowName = ({ moment, target, signal, checkpoints }: KillRow) =>
  `${signal} to ${target} when ${moment.name}, checkpoints ${checkpoints ? "on" : "off"}`;

/** Every moment × target × signal × checkpoints. */
export function allRows(): KillRow[] {
  return moments.flatMap((moment) =>
    targets.flatMap((target) => signals.flatMap((signal) => [true, false].map((checkpoints) => ({ moment, target, signal, checkpoints })))),
  );
}

/** One row for each target and signal, at a moment that the seed chooses. */
export function sampleRows(seed: number): KillRow[] {
  let state = seed >>> 0;
  const next = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' generator: the same rows for a seed everywhere
    return Math.floor((state / 2 ** 32) * limit);
  };
  return targets.flatMap((target) =>
    signals.map((signal) => ({ moment: moments[next(moments.length)] as Moment, target, signal, checkpoints: next(2) === 0 })),
  );
}

/** What was there after the kill, the next `up` and the destroy. */
export interface Healed {
  up: number;
  unchanged: number;
  hosts: string[];
  destroy: number;
  left: string[];
  /** What to read when a row fails; empty when it does not. */
  log: string;
}

/** What every row must end with. */
export const healthy: Healed = { up: 0, unchanged: 0, hosts: ["h11", "h12", "h13", "h14"], destroy: 0, left: [], log: "" };

const WAIT_SECONDS = 120;

/** Interrupts an `up` as the row says, goes on as an operator would, and takes everything down again. */
export async function killAndHeal(row: KillRow): Promise<Healed> {
  const project = new Project();
  if (!row.checkpoints) Object.assign(project.environment, { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" });
  try {
    await project.init();
    const interrupted = await interruptedUp(project, row);
    // A killed CLI cannot take its lock away: its own message asks for this.
    const killedCli = row.signal === "SIGKILL" && row.target !== "the provider";
    const cancel = killedCli ? (await project.pulumi("cancel", "--yes", "--stack", "kvm")).output : "";
    const up = await project.up();
    const unchanged = await project.pulumi("preview", "--stack", "kvm", "--expect-no-changes");
    const hosts = up.status === 0 ? Object.keys(await project.hosts()) : [];
    const destroy = await project.destroy();
    const left = await leftovers(project.folder);
    const red = up.status + unchanged.status + destroy.status + left.length > 0;
    const log = red ? [interrupted, cancel, up.output, unchanged.output, destroy.output].join("\n-----\n") : "";
    return { up: up.status, unchanged: unchanged.status, hosts, destroy: destroy.status, left, log };
  } finally {
    project.remove();
  }
}

/** Starts `up`, sends the signal at the moment, and waits for the end of the CLI. Its output. */
async function interruptedUp(project: Project, { moment, target, signal }: KillRow): Promise<string> {
  const child = spawn("pulumi", ["up", "--stack", "kvm", "--yes", "--skip-preview", "--non-interactive"], {
    cwd: project.folder,
    env: project.environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "exit", { signal: AbortSignal.timeout(2 * WAIT_SECONDS * 1000) });
  await reached(
    project,
    moment,
    () => child.exitCode !== null,
    () => output,
  );
  for (const pid of victims(child.pid ?? 0, target)) signalIfThere(pid, signal);
  await ended;
  return output;
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
function signalIfThere(pid: number, signal: Signal): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function reached(project: Project, moment: Moment, ended: () => boolean, output: () => string): Promise<void> {
  const file = join(project.folder, ".testbed/kvm/journal.jsonl");
  const deadline = performance.now() + WAIT_SECONDS * 1000;
  for (;;) {
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
    if (lines.some((line) => isMoment(JSON.parse(line), moment))) return;
    if (ended() || performance.now() > deadline) throw new Error(`"${moment.name}" never came:\n${output()}`);
    await pause(10);
  }
}

function isMoment(entry: { type: string; event: string; phase?: string }, moment: Moment): boolean {
  return entry.type === moment.type && moment.lines.includes(entry.event === "phase" ? (entry.phase ?? "") : entry.event);
}

/** What of the stack is still on the site, and which of its processes still run. */
async function leftovers(folder: string): Promise<string[]> {
  const collections = ["systems", "profiles", "distros"].map((name) => `/var/lib/cobbler/collections/${name}`);
  const folders = [...collections, "/srv/testbed/hosts.d", "/srv/testbed/dhcp.d", "/var/lib/cloudstack-testbed/leases"];
  const found = folders.flatMap((place) =>
    (existsSync(place) ? readdirSync(place) : []).filter((name) => !name.startsWith(".")).map((name) => `${place}/${name}`),
  );
  if (existsSync("/var/lib/cobbler/templates/testbed-lab.sh")) found.push("template testbed-lab.sh");
  // Pulumi's own language host outlives a killed CLI; it does nothing. A provider would work on.
  const providers = () => processesIn(folder).filter((command) => command.includes("cmd/dynamic-provider"));
  const deadline = performance.now() + 15_000;
  while (providers().length > 0 && performance.now() < deadline) await pause(100);
  return [...found, ...providers().map((command) => `process ${command}`)];
}
