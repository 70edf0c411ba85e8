// Which rows there are: when an `up` is interrupted, what is hit, and how.
import { createHash } from "node:crypto";

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

/** From a phase on: what comes later in the list has passed it. */
function since(type: string, phases: readonly string[], names: Readonly<Record<string, string>>): Moment[] {
  return Object.entries(names).map(([phase, name]) => ({ name, type, lines: phases.slice(phases.indexOf(phase)) }));
}

const hostPhases = ["arming cobbler", "powering off", "arming PXE", "powering on", "network boot", "installing", "rebooting", "proving"];
const vmPhases = ["making the VM", ...hostPhases, "end"];
const serverPhases = [
  "waiting for the API (port 8096) to answer",
  "waiting for the API (port 8080) to answer",
  "setting expunge.delay, expunge.interval, storage.cleanup.interval",
  "restarting the service, for settings that are read at start only",
  "end",
];

/** From the claim to installed hosts. */
export const hostMoments: readonly Moment[] = [
  start("site:Lease"),
  start("dnsmasq:Host"),
  start("cobbler:Template"),
  start("cobbler:Distro"),
  start("cobbler:Profile"),
  { name: "cobbler is synced", type: "cobbler:Sync", lines: ["full sync", "end"] },
  start("cobbler:System"),
  { name: "a system is written", type: "cobbler:System", lines: ["creating", "end"] },
  ...since("baremetal:Host", [...hostPhases, "end"], Object.fromEntries(hostPhases.map((phase) => [phase, `a host is ${phase}`]))),
];

/** What stands around the cloud: the management server's VM, stores, roles, the server's own start. */
export const cloudMoments: readonly Moment[] = [
  ...since("xenserver:VirtualMachine", vmPhases, {
    "making the VM": "the VM is made",
    "powering on": "the VM is started",
    installing: "the VM is installing",
  }),
  { name: "a template is fetched", type: "nfs:Template", lines: ["fetching through this machine: it is a file here"] },
  { name: "a store is emptied", type: "nfs:Store", lines: ["emptying"] },
  { name: "a store is seeded", type: "nfs:Store", lines: ["emptied, seeded"] },
  { name: "a certificate is cleaned", type: "puppet:Certificate", lines: ["cleaning the certificate"] },
  start("puppet:Modules"),
  { name: "puppet runs", type: "puppet:Run", lines: ["puppet run as kvm-host", "puppet run as management-server"] },
  ...since("cloudstack:ManagementServer", serverPhases, {
    [serverPhases[0] as string]: "the management server starts",
    [serverPhases[2] as string]: "the management server is set up",
    [serverPhases[3] as string]: "the management server is restarted",
  }),
];

const targets: readonly Target[] = ["the CLI", "the provider", "everything"];
const signals: readonly Signal[] = ["SIGTERM", "SIGKILL"];

export const rowName = ({ moment, target, signal, checkpoints }: KillRow) =>
  `${signal} to ${target} when ${moment.name}, checkpoints ${checkpoints ? "on" : "off"}`;

/** Every target × signal × checkpoints at each of these moments. */
function crossed(moments: readonly Moment[]): KillRow[] {
  return moments.flatMap((moment) =>
    targets.flatMap((target) => signals.flatMap((signal) => [true, false].map((checkpoints) => ({ moment, target, signal, checkpoints })))),
  );
}

/**
 * A quarter of them. Each moment meets every target, both signals, and both kinds of state; each target meets every pair of signal and
 * state over four moments.
 */
function paired(moments: readonly Moment[]): KillRow[] {
  const ways = [
    { signal: "SIGTERM", checkpoints: true },
    { signal: "SIGKILL", checkpoints: false },
    { signal: "SIGTERM", checkpoints: false },
    { signal: "SIGKILL", checkpoints: true },
  ] as const;
  return moments.flatMap((moment, m) =>
    targets.map((target, t) => ({ moment, target, ...(ways[(m + t) % ways.length] as (typeof ways)[number]) })),
  );
}

/**
 * Every moment in a quarter of the ways, then the hosts' moments in all other ways: there every kind of step is met, and what stands
 * around the cloud shares their kernel. What is most telling comes first.
 */
export function allRows(): KillRow[] {
  const first = paired([...cloudMoments, ...hostMoments]);
  const names = new Set(first.map(rowName));
  return [...first, ...crossed(hostMoments).filter((row) => !names.has(rowName(row)))];
}

/** One row for each phase of a host, each in another way: for hosts with emulated firmware. */
export function machineRows(): KillRow[] {
  const moments = hostMoments.filter(({ type }) => type === "baremetal:Host");
  return moments.map((_, m) => paired(moments)[m * targets.length + (m % targets.length)] as KillRow);
}

/** The rows of one of several labs that share the work: `2/3` is the second of three. Undefined is all. */
export function sharedRows(rows: readonly KillRow[], share: string | undefined): KillRow[] {
  if (share === undefined) return [...rows];
  const [, number, of] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(share) ?? [];
  if (!number || Number(number) > Number(of)) throw new Error(`TESTBED_SHARE is "${share}", not of the form 2/3`);
  return rows.filter((_, index) => index % Number(of) === Number(number) - 1);
}

/** One row for each target, at a moment and in a way that the seed chooses; both signals are among them. */
export function sampleRows(seed: number): KillRow[] {
  const moments = [...hostMoments, ...cloudMoments];
  let draws = 0;
  const next = (limit: number) => createHash("sha256").update(`${seed} ${draws++}`).digest().readUInt32BE() % limit;
  const first = next(signals.length);
  return targets.map((target, t) => ({
    moment: moments[next(moments.length)] as Moment,
    target,
    signal: signals[(first + t) % signals.length] as Signal,
    checkpoints: next(2) === 0,
  }));
}
