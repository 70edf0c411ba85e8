import { latestAlerts } from "./alerts.ts";
import type { CloudStackClient } from "./client.ts";
import type { ZoneRow } from "./cloud.ts";
import { BROKEN, type HostRow, newest } from "./host-rows.ts";
import { showsAgentState } from "./release.ts";

/** What of a zone must be healthy. */
export interface ZoneExpectation {
  name: string;
  /** Ids of its hosts; none: all that it has. */
  hosts: string[];
  /** Ids of its storage pools; none: all that it has. */
  pools: string[];
}

/** Something that is not as it must be. */
export interface Fault {
  /** "host h11 is Disconnected" */
  text: string;
  /** It does not heal by itself. */
  final: boolean;
}

export interface ZoneHealth {
  zone: string;
  id: string;
  faults: Fault[];
  /** One line: what is there. */
  summary: string;
}

interface SystemVm {
  id: string;
  name: string;
  systemvmtype: string;
  state: string;
  agentstate?: string;
}

interface Pool {
  id: string;
  name: string;
  state: string;
}

interface Template {
  name: string;
  templatetype: string;
  isready: boolean;
  status?: string;
  downloaddetails?: { downloadState?: string }[];
}

const YOUNG_POOL = ["Initial", "Initialized", "Creating", "Attaching", "Up"];
const isOrAre = (seen: string | undefined) => seen ?? "not there";

function zoneFaults(zone: ZoneRow): Fault[] {
  return zone.allocationstate === "Enabled" ? [] : [{ text: `the zone is ${zone.allocationstate}`, final: true }];
}

/** The declared ones, else all; a declared one that is missing is a fault. */
function declared<T extends { id: string }>(rows: readonly T[], ids: readonly string[], kind: string): { rows: T[]; faults: Fault[] } {
  if (ids.length === 0) {
    const faults = rows.length === 0 ? [{ text: `no ${kind} is there`, final: false }] : [];
    return { rows: [...rows], faults };
  }
  const gone = ids.filter((id) => !rows.some((one) => one.id === id));
  return {
    rows: rows.filter((one) => ids.includes(one.id)),
    faults: gone.map((id) => ({ text: `${kind} ${id} is gone`, final: true })),
  };
}

function hostFaults(rows: readonly HostRow[]): Fault[] {
  return rows.flatMap((one) => {
    const name = `host ${one.name} (${one.ipaddress ?? "no address"})`;
    if (one.state !== "Up") return [{ text: `${name} is ${one.state}`, final: BROKEN.includes(one.state) }];
    return one.resourcestate === "Enabled" ? [] : [{ text: `${name} is in resource state ${one.resourcestate}`, final: true }];
  });
}

function poolFaults(rows: readonly Pool[]): Fault[] {
  return rows.flatMap((one) =>
    one.state === "Up" ? [] : [{ text: `storage pool ${one.name} is ${one.state}`, final: !YOUNG_POOL.includes(one.state) }],
  );
}

/** A template whose download failed is not fetched again before the next restart of the storage VM. */
function templateFaults(all: readonly Template[]): Fault[] {
  const builtin = all.filter((one) => one.templatetype === "BUILTIN");
  if (builtin.some((one) => one.isready)) return [];
  const failed = (one: Template) =>
    one.downloaddetails?.some((detail) => detail.downloadState === "DOWNLOAD_ERROR") ??
    /error|fail|refused|unable|unknown/i.test(one.status ?? "");
  const shown = builtin.map((one) => `${one.name}: ${one.status || "not begun"}`).join("; ");
  return [{ text: `no built-in template is ready (${shown || "none is known"})`, final: builtin.length > 0 && builtin.every(failed) }];
}

/** Of the simulator's console proxy there is no agent and no host row (cloudstack-observed facts 29). */
async function systemVmFaults(client: CloudStackClient, zoneid: string, vms: readonly SystemVm[], simulated: boolean): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const [type, name, hostType] of [
    ["consoleproxy", "console proxy", "ConsoleProxy"],
    ["secondarystoragevm", "secondary storage VM", "SecondaryStorageVM"],
  ] as const) {
    const these = vms.filter((one) => one.systemvmtype === type);
    const running = these.filter((one) => one.state === "Running");
    if (running.length === 0) {
      const seen = these.map((one) => `${one.name} ${one.state}`).join(", ");
      faults.push({ text: `no ${name} is Running (seen: ${seen || "none"})`, final: false });
    } else if (!(simulated && type === "consoleproxy") && !(await hasAgent(client, zoneid, running, hostType))) {
      const seen = running.map((one) => `${one.name} ${isOrAre(one.agentstate)}`).join(", ");
      faults.push({ text: `no agent of a ${name} is Up (seen: ${seen})`, final: false });
    }
  }
  return faults;
}

/** After a second start a VM has two host rows, and its own field tells of either: the newest row counts (cloudstack-observed facts 53). */
async function hasAgent(client: CloudStackClient, zoneid: string, running: readonly SystemVm[], type: string): Promise<boolean> {
  if (showsAgentState(running) && running.some((one) => one.agentstate === "Up")) return true;
  const rows = await client.list<HostRow>("listHosts", "host", { zoneid, type });
  return running.some((vm) => newest(rows.filter((one) => one.name === vm.name))?.state === "Up");
}

/** Alerts of types 10 and 19 are about console proxies and storage VMs. */
const SYSTEM_VM_ALERTS = [10, 19];
/** One failure may be an accident of the start. */
const FAILURES = 2;

/** Which alerts about failed starts are new since the gate began; the server's own texts. */
export class StartFailures {
  #known: Set<string> | undefined;
  readonly #seen = new Map<string, Map<number, string[]>>();

  async look(client: CloudStackClient): Promise<void> {
    const failures = (await latestAlerts(client)).filter(
      (one) => SYSTEM_VM_ALERTS.includes(one.type) && /fail|unable|insufficient/i.test(one.description),
    );
    const known = this.#known ?? new Set(failures.map((one) => one.id));
    for (const one of failures) if (!known.has(one.id)) this.#count(one.type, one.description);
    this.#known = new Set([...known, ...failures.map((one) => one.id)]);
  }

  #count(type: number, text: string): void {
    const zone = /[zZ]one \[([^\]]*)\]/.exec(text)?.[1] ?? "";
    const types = this.#seen.get(zone) ?? new Map<number, string[]>();
    types.set(type, [...(types.get(type) ?? []), text]);
    this.#seen.set(zone, types);
  }

  faults(zone: string): Fault[] {
    return [...(this.#seen.get(zone)?.values() ?? [])]
      .filter((texts) => texts.length >= FAILURES)
      .map((texts) => ({ text: `a system VM failed to start ${texts.length} times: ${texts.at(-1)}`, final: true }));
  }
}

/** One look at a zone. */
export async function lookAtZone(client: CloudStackClient, zone: ZoneRow, expected: ZoneExpectation): Promise<ZoneHealth> {
  const zoneid = zone.id;
  const [hosts, pools, vms, templates] = await Promise.all([
    client.list<HostRow>("listHosts", "host", { zoneid, type: "Routing" }),
    client.list<Pool>("listStoragePools", "storagepool", { zoneid }),
    client.list<SystemVm>("listSystemVms", "systemvm", { zoneid }),
    client.list<Template>("listTemplates", "template", { templatefilter: "all", zoneid }),
  ]);
  const simulated = hosts.length > 0 && hosts.every((one) => one.hypervisor === "Simulator");
  const [wantedHosts, wantedPools] = [declared(hosts, expected.hosts, "host"), declared(pools, expected.pools, "storage pool")];
  const faults = [
    ...zoneFaults(zone),
    ...wantedHosts.faults,
    ...hostFaults(wantedHosts.rows),
    ...wantedPools.faults,
    ...poolFaults(wantedPools.rows),
    ...(await systemVmFaults(client, zoneid, vms, simulated)),
    ...templateFaults(templates),
  ];
  const summary = `${wantedHosts.rows.length} hosts up, ${wantedPools.rows.length} pools up, ${vms.map((one) => one.name).join(" and ")} running`;
  return { zone: zone.name, id: zoneid, faults, summary };
}
