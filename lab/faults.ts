import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareBmc } from "./bmc/ipmi-sim.ts";
import { setCloudFault } from "./cloudstack/daemon.ts";
import { cloudFaults } from "./cloudstack/faults.ts";
import type { ControlReply } from "./control.ts";
import type { Daemons } from "./daemons.ts";
import { webFaults } from "./driver/driver.ts";
import { type Machine, type MachineFault, machineFaults } from "./machine.ts";
import { clearNfsFaults, type NfsFault, nfsFaults, setNfsFault } from "./nfs/faults.ts";
import { type AgentFault, agentFaults, clearPuppetFaults, type MasterFault, masterFaults, setPuppetFault } from "./puppet/faults.ts";
import type { Site } from "./site.ts";
import { vmFaults } from "./xapi/faults.ts";
import type { XenServer } from "./xapi/xen-server.ts";

/** What the driver's daemons can be told to do wrong; each ends with `clear`. */
export const daemonFaults = {
  down: "the process is stopped (SIGSTOP): connections are accepted, nothing answers",
  killed: "the process is gone: connections are refused",
  restarts: "cobblerd restarts after its next call",
  slow: "every call of cobblerd takes that many seconds longer (default 2)",
  "save-fails": "cobblerd saves, then a trigger fails",
  "restart-fails": "dnsmasq does not come back from a restart by cobblerd",
  "disk-full": "the driver has no space left for dnsmasq's entries",
} as const;
export type DaemonFault = keyof typeof daemonFaults;

/** Those of a host that are not played by the machine. */
export const hostFaults = {
  deaf: "the BMC does not answer",
  "wrong-password": "the BMC has another password",
  "answer-broken": "cobbler answers the installer with the comment of a broken template",
} as const;

const TRIGGER = "/var/lib/cobbler/triggers/change/testbed-fault";

export interface Faulty {
  site: Site;
  machines: ReadonlyMap<string, Machine>;
  daemons: Daemons;
  xen: XenServer;
  checkout: string;
  state: string;
}

/** What a daemon can do wrong in a way of its own, by the daemon's name. */
export const ownFaults: Record<
  string,
  { faults: Record<string, string>; set(lab: Faulty, kind: string, count?: string): void; clear(lab: Faulty): void }
> = {
  nfs: {
    faults: nfsFaults,
    set: (lab, kind, count) => setNfsFault(lab.site, kind as NfsFault, count),
    clear: (lab) => clearNfsFaults(lab.site),
  },
  puppetserver: { faults: masterFaults, set: (_, kind) => setPuppetFault(kind as MasterFault), clear: () => clearPuppetFaults() },
};

/** `fault NAME KIND [COUNT]`, where NAME is a host or a daemon; `fault NAME clear` ends all of that name. */
export async function setFault(lab: Faulty, name: string, kind: string, count?: string): Promise<ControlReply> {
  if (kind in cloudFaults) return setCloudFault(lab.site.driver.address, name, kind, count);
  const machine = lab.machines.get(name);
  if (machine) return faultOfHost(lab, machine, kind, count);
  if (lab.xen.hasVm(name)) return faultOfVm(lab, name, kind, count);
  if (!lab.daemons.has(name)) {
    const known = [...lab.machines.keys(), ...lab.daemons.names()].join(", ");
    return { ok: false, error: `no host or daemon ${name}; there are ${known}` };
  }
  if (kind === "clear") return { ok: true, value: await clearDaemon(lab, name) };
  const own = ownFaults[name];
  if (own && kind in own.faults) {
    own.set(lab, kind, count);
    return { ok: true, value: `${name}: ${own.faults[kind]}` };
  }
  if (!(kind in daemonFaults)) return unknown(kind, { ...daemonFaults, ...own?.faults });
  await faultOfDaemon(lab, name, kind as DaemonFault, count);
  return { ok: true, value: `${name}: ${daemonFaults[kind as DaemonFault]}` };
}

async function faultOfHost(lab: Faulty, machine: Machine, kind: string, count?: string): Promise<ControlReply> {
  const bmc = `bmc-${machine.name}`;
  const answerFile = join(webFaults, `answer-broken-${machine.name}`);
  if (kind === "clear") {
    machine.faults.clear();
    clearPuppetFaults(machine.name);
    await setCloudFault(lab.site.driver.address, machine.name, kind);
    rmSync(answerFile, { force: true });
    lab.daemons.signal(bmc, "SIGCONT");
    await lab.daemons.restart(bmc, () => bmcCommand(lab, machine.name));
  } else if (kind === "deaf") lab.daemons.signal(bmc, "SIGSTOP");
  else if (kind === "wrong-password") await lab.daemons.restart(bmc, () => bmcCommand(lab, machine.name, "another"));
  else if (kind === "answer-broken") writeFileSync(answerFile, "1");
  else if (kind in agentFaults) setPuppetFault(kind as AgentFault, machine.name, count);
  else if (kind in machineFaults) machine.faults.set(kind as MachineFault, Number(count ?? Number.POSITIVE_INFINITY));
  else return unknown(kind, { ...machineFaults, ...hostFaults, ...agentFaults });
  return {
    ok: true,
    value: `${machine.name}: ${kind === "clear" ? "no fault" : { ...machineFaults, ...hostFaults, ...agentFaults }[kind as MachineFault]}`,
  };
}

/** A VM is installed and gets its role like a host; it has no BMC, and a hypervisor that can lose it. */
async function faultOfVm(lab: Faulty, name: string, kind: string, count?: string): Promise<ControlReply> {
  const known: Record<string, string> = { ...machineFaults, ...vmFaults, ...agentFaults };
  if (kind === "clear") {
    clearPuppetFaults(name);
    await setCloudFault(lab.site.driver.address, name, kind);
  }
  if (kind in agentFaults) setPuppetFault(kind as AgentFault, name, count);
  else if (!(await lab.xen.setVmFault(name, kind, count))) return unknown(kind, known);
  return { ok: true, value: `${name}: ${known[kind] ?? "no fault"}` };
}

/** The command line of a host's BMC, its configuration written. */
export function bmcCommand(lab: Pick<Faulty, "site" | "checkout" | "state">, name: string, password?: string): string[] {
  const machine = lab.site.machines.find((one) => one.name === name);
  if (!machine) throw new Error(`no machine ${name}`);
  return prepareBmc(machine, join(lab.state, "scratch/bmc", name), join(lab.checkout, "lab/bmc/chassis.sh"), password);
}

async function faultOfDaemon(lab: Faulty, name: string, kind: DaemonFault, count?: string): Promise<void> {
  switch (kind) {
    case "down":
      lab.daemons.signal(name, "SIGSTOP");
      break;
    case "killed":
      await lab.daemons.stop(name, "SIGKILL");
      break;
    case "restarts":
      lab.daemons.revive(name);
      writeFileSync(join(webFaults, "restarts"), String(lab.daemons.pid(name)));
      break;
    case "slow":
      writeFileSync(join(webFaults, "slow"), count ?? "2");
      break;
    case "save-fails":
      mkdirSync("/var/lib/cobbler/triggers/change", { recursive: true });
      writeFileSync(TRIGGER, "#!/bin/sh\nexit 1\n");
      chmodSync(TRIGGER, 0o755);
      break;
    case "restart-fails":
      writeFileSync(join(webFaults, "restart-fails"), "1");
      break;
    case "disk-full":
      fillDisk(lab.site);
      break;
  }
}

const entryFolders = (site: Site) => [site.driver.dnsmasq.hostsDirectory, site.driver.dnsmasq.dhcpHostsDirectory];

/** Lays a small file system over dnsmasq's folders, with what they hold, and fills the rest. */
function fillDisk(site: Site): void {
  for (const folder of entryFolders(site)) {
    const copy = `/run/testbed-full${folder}`;
    mkdirSync(copy, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", copy]);
    cpSync(folder, copy, { recursive: true });
    // dd ends with an error when the disk is full, which is what is wanted here.
    execFileSync("sh", ["-c", 'dd if=/dev/zero of="$1/.full" 2>/dev/null || true', "sh", copy]);
    execFileSync("mount", ["--bind", copy, folder]);
  }
}

async function clearDaemon(lab: Faulty, name: string): Promise<string> {
  for (const fault of ["slow", "restarts", "restart-fails"]) rmSync(join(webFaults, fault), { force: true });
  rmSync(TRIGGER, { force: true });
  for (const folder of entryFolders(lab.site))
    execFileSync("sh", ["-c", 'if mountpoint -q "$1"; then umount "$1" "/run/testbed-full$1"; fi', "sh", folder]);
  ownFaults[name]?.clear(lab);
  if (lab.daemons.status()[name] === "running") lab.daemons.signal(name, "SIGCONT");
  else await lab.daemons.restart(name);
  await lab.daemons.ready(name);
  return `${name}: no fault`;
}

function unknown(kind: string, known: Record<string, string>): ControlReply {
  return { ok: false, error: `no fault ${kind}; faults are ${[...Object.keys(known), "clear"].join(", ")}` };
}
