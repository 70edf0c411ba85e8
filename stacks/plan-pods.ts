import type { PlannedCluster, PlannedHost, PlannedPod, PlannedPool } from "./cloud-plan.ts";
import { hostName, isSimulator } from "./marvin.ts";
import type { Marvin } from "./marvin-schema.ts";
import { given, numbered, planLogin, planRange } from "./plan-parts.ts";

type Pod = Marvin["zones"][number]["pods"][number];
type Cluster = Pod["clusters"][number];
type Pool = Cluster["primaryStorages"][number];

export const isKind = (hypervisor: string, kind: string) => hypervisor.toLowerCase() === kind.toLowerCase();

/** @param guests whether the pod's guest ranges are used: in zones where guests share a network */
export function planPod(zone: string, pod: Pod, guests: boolean): PlannedPod {
  const name = `${zone}/${pod.name}`;
  const { gateway, netmask, startip: start, endip: end, vmwaredc } = pod;
  const datacenter = vmwaredc && {
    name: `${zone}/${vmwaredc.name}`,
    called: vmwaredc.name,
    vcenter: vmwaredc.vcenter,
    ...planLogin(vmwaredc, "vcenter"),
  };
  return {
    name,
    called: pod.name,
    gateway,
    netmask,
    start,
    end,
    guestRanges: guests ? pod.guestIpRanges.map((range, index) => planRange(`${name}/guest-${index + 1}`, range)) : [],
    ...given("vmwareDatacenter", datacenter),
    clusters: pod.clusters.map((cluster) => planCluster(name, cluster)),
  };
}

function planCluster(pod: string, cluster: Cluster): PlannedCluster {
  const name = `${pod}/${cluster.clustername}`;
  const vmware = isKind(cluster.hypervisor, "VMware");
  return {
    name,
    called: cluster.clustername,
    hypervisor: cluster.hypervisor,
    type: cluster.clustertype,
    ...(vmware ? { vmware: { url: cluster.url ?? "", ...planLogin(cluster, "vcenter") } } : {}),
    // A VMware cluster's hosts are found by vCenter.
    hosts: vmware ? [] : numbered(cluster.hosts.map((host) => planHost(name, cluster.hypervisor, host))),
    pools: numbered(cluster.primaryStorages.filter((pool) => !isZoneWide(pool)).map((pool) => planPool(name, pool))),
  };
}

function planHost(cluster: string, hypervisor: string, host: Cluster["hosts"][number]): PlannedHost {
  const { url } = host;
  // Of a simulated host the whole address is the name; a machine has its own.
  const called = isSimulator(hypervisor) ? url.replace(/^\w+:\/\//, "").replace(/\/+$/, "") : hostName(url);
  const tags = (host.hosttags ?? "").split(",").flatMap((tag) => tag.trim() || []);
  return { name: `${cluster}/${called}`, url, machine: called, ...planLogin(host, "hosts"), tags, ...bareMetal(hypervisor, host) };
}

function bareMetal(hypervisor: string, host: Cluster["hosts"][number]): Pick<PlannedHost, "bareMetal"> {
  if (!isKind(hypervisor, "BareMetal")) return {};
  const { hostmac: mac = "", cpunumber, cpuspeed, memory } = host;
  return { bareMetal: { mac, cpus: Number(cpunumber), cpuMHz: Number(cpuspeed), memoryMiB: Number(memory) } };
}

/** A pool of the whole zone may stand below a cluster. */
export function isZoneWide(pool: Pool): boolean {
  return pool.scope?.toLowerCase() === "zone";
}

/** @param hypervisor of a pool of the whole zone */
export function planPool(parent: string, pool: Pool, hypervisor?: string): PlannedPool {
  const called = pool.name ?? pool.url;
  return {
    name: `${parent}/${called}`,
    called,
    url: pool.url,
    tags: [...pool.tags],
    details: Object.fromEntries(Object.entries(pool.details ?? {})),
    ...given("hypervisor", hypervisor),
  };
}
