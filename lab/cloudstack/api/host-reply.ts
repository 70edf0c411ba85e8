import type { Cloud } from "../cloud.ts";
import type { Database, Row } from "../database.ts";
import { RELEASE, type Reply } from "../envelope.ts";
import { childrenOf, place } from "../objects.ts";

const EVENTS =
  "PingTimeout; Ping; Remove; AgentConnected; StartAgentRebalance; ShutdownRequested; HostDown; AgentDisconnected; ManagementServerDown";

/** Of the instances that are on a host, or were and may come back. */
export function allocated(database: Database, host: Row): { cpu: number; memory: number; cores: number } {
  const instances = childrenOf(database, "instance", "hostId", host).filter((vm) =>
    ["Starting", "Running", "Stopping"].includes(String(vm.state)),
  );
  const sum = (field: string) => instances.reduce((total, vm) => total + Number(vm[field]), 0);
  return { cpu: sum("cpu"), memory: sum("memory"), cores: sum("cores") };
}

/** As Java writes a share: two digits at most. */
const percent = (part: number, whole: number) => `${whole === 0 ? 0 : Number(((part / whole) * 100).toFixed(2))}%`;

function sizes(database: Database, host: Row): Reply {
  const used = allocated(database, host);
  const cpu = Number(host.cores) * Number(host.speed);
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

export function hostReply({ database }: Cloud, host: Row): Reply {
  const isRouting = host.type === "Routing";
  const cluster = database.find(host.clusterId);
  const tags = host.tags as string | undefined;
  const connected = host.state !== "Disconnected" && host.state !== "Down" && host.state !== "Alert";
  return {
    id: host.id,
    name: host.name,
    state: host.state,
    ...(host.disconnected ? { disconnected: host.disconnected } : {}),
    type: host.type,
    ipaddress: host.ipAddress,
    ...place(database, host, "zone", "pod"),
    version: RELEASE,
    ...(isRouting ? sizes(database, host) : { memoryallocated: 0 }),
    lastpinged: host.lastPinged,
    ...(connected ? { managementserverid: database.serverId } : {}),
    ...(cluster ? { clusterid: cluster.id, clustername: cluster.name, clustertype: cluster.type } : {}),
    islocalstorageactive: host.localStorage === true,
    created: host.created,
    events: EVENTS,
    ...(tags ? { hosttags: tags, explicithosttags: tags } : {}),
    hostha: { haenable: false, hastate: "Disabled" },
    outofbandmanagement: { powerstate: "Disabled", enabled: false },
    resourcestate: host.resourceState,
    ...(isRouting ? { hypervisorversion: host.hypervisorVersion, hahost: false, ueficapability: false, arch: "x86_64" } : {}),
    ...(host.annotation ? { annotation: host.annotation } : {}),
    hasannotations: host.annotation !== undefined,
  };
}
