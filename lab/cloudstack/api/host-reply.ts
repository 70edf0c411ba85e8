import type { Cloud } from "../cloud.ts";
import type { Database, Row } from "../database.ts";
import { RELEASE, type Reply } from "../envelope.ts";
import { childrenOf, place } from "../objects.ts";
import { share } from "./capacity.ts";

const usualEvents = "Ping; Remove; AgentConnected; ShutdownRequested; HostDown; AgentDisconnected; ManagementServerDown";
/** What can happen next to a host, by its state. */
const events: Record<string, string> = {
  Up: `PingTimeout; ${usualEvents}; StartAgentRebalance`,
  Disconnected: `PingTimeout; ${usualEvents}; WaitedTooLong`,
};

/** Of the instances that are on a host, or were and may come back. */
export function allocated(database: Database, host: Row): { cpu: number; memory: number; cores: number } {
  const instances = childrenOf(database, "instance", "hostId", host).filter((vm) =>
    ["Starting", "Running", "Stopping"].includes(String(vm.state)),
  );
  const sum = (field: string) => instances.reduce((total, vm) => total + Number(vm[field]), 0);
  return { cpu: sum("cpu"), memory: sum("memory"), cores: sum("cores") };
}

const percent = (part: number, whole: number) => `${share(part, whole)}%`;

function sizes(database: Database, host: Row): Reply {
  const used = allocated(database, host);
  const settings = (database.find(host.clusterId)?.settings ?? {}) as Record<string, string>;
  const cpu = Number(host.cores) * Number(host.speed) * Number(settings["cpu.overprovisioning.factor"] ?? 1);
  const share = percent(used.cpu, cpu);
  const measured = host.measured === true;
  return {
    hypervisor: host.hypervisor,
    cpunumber: host.cores,
    cpuspeed: host.speed,
    cpuallocated: share,
    cpuallocatedvalue: used.cpu,
    cpuallocatedpercentage: share,
    cpuallocatedwithoverprovisioning: share,
    ...(measured ? { cpuused: "0%" } : {}),
    cpuwithoverprovisioning: String(cpu),
    ...(measured ? { cpuloadaverage: 0, networkkbsread: 32768, networkkbswrite: 16384 } : {}),
    memorytotal: host.memory,
    memorywithoverprovisioning: String(host.memory),
    memoryallocated: used.memory,
    memoryallocatedpercentage: percent(used.memory, Number(host.memory)),
    memoryallocatedbytes: used.memory,
    ...(measured ? { memoryused: 0 } : {}),
    capabilities: host.capabilities,
  };
}

function sortedTags(tags: unknown): string | undefined {
  const names = String(tags ?? "")
    .split(",")
    .filter(Boolean);
  return names.length > 0 ? names.sort().join(",") : undefined;
}

export function hostReply({ database }: Cloud, host: Row): Reply {
  const isRouting = host.type === "Routing";
  const cluster = database.find(host.clusterId);
  const tags = sortedTags(host.tags);
  const category = database.find(host.osCategoryId);
  const connected = host.state !== "Disconnected" && host.state !== "Down" && host.state !== "Alert";
  return {
    id: host.id,
    name: host.name,
    state: host.state,
    ...(host.disconnected ? { disconnected: host.disconnected } : {}),
    type: host.type,
    ...(category ? { oscategoryid: category.id, oscategoryname: category.name } : {}),
    ipaddress: host.ipAddress,
    ...place(database, host, "zone", "pod"),
    version: RELEASE,
    ...(isRouting ? sizes(database, host) : { memoryallocated: 0 }),
    lastpinged: host.lastPinged,
    ...(connected ? { managementserverid: database.serverId } : {}),
    ...(cluster ? { clusterid: cluster.id, clustername: cluster.name, clustertype: cluster.type } : {}),
    islocalstorageactive: host.localStorage === true,
    created: host.created,
    events: events[String(host.state)] ?? usualEvents,
    ...(tags ? { hosttags: tags, explicithosttags: tags, istagarule: false } : {}),
    hostha: { haenable: false, hastate: "Disabled" },
    outofbandmanagement: { powerstate: "Disabled", enabled: false },
    resourcestate: host.resourceState,
    ...(isRouting ? { hypervisorversion: host.hypervisorVersion, hahost: false, ueficapability: false, arch: "x86_64" } : {}),
    ...(host.annotation ? { annotation: host.annotation, lastannotated: host.annotated, username: "system" } : {}),
    hasannotations: host.annotation !== undefined,
  };
}
