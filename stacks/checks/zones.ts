import type { Finding } from "../findings.ts";
import type { Marvin } from "../marvin.ts";
import { didYouMean, type Found } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

type Zone = NonNullable<Found<Marvin>["zones"]>[number];
type Report = (path: Path, what: string, remedy: string) => void;

const HYPERVISORS = ["KVM", "XenServer", "VMware", "Simulator", "BareMetal", "Hyperv", "Ovm", "Ovm3", "LXC"];
const ISOLATION_METHODS = ["VLAN", "VXLAN", "GRE", "STT", "L3", "ODL", "SSP", "VCS", "TF"];
const TRAFFIC_TYPES = ["Guest", "Management", "Public", "Storage"];
/** Each of them once in a zone; Guest once in a physical network. */
const ONCE_PER_ZONE = ["Management", "Public", "Storage"];
const STORE_PROVIDERS = ["NFS", "S3", "Swift", "SMB"];

/** Whether the server would take each zone: what it wants of networks, traffic, guests and stores (cloudstack facts §3.1). */
export function checkZones(marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const report: Report = (path, what, remedy) =>
    add(source, "TB150", path, { what, why: "the server refuses it, or takes it without a word for something else", remedy });
  (marvin.zones ?? []).forEach((zone, z) => {
    // Of what is no zone at all that is reported.
    if (zone.networktype === undefined) return;
    const path = ["zones", z];
    checkNetworks(zone, path, report);
    checkGuests(zone, path, report);
    checkClusters(zone, path, report);
    checkStores(zone, path, report);
  });
  return findings;
}

function checkNetworks(zone: Zone, path: Path, report: Report): void {
  const networks = zone.physical_networks ?? [];
  const name = `zone ${zone.name}`;
  if (networks.length === 0) report(path, `${name} has no physical network`, "add one, with its traffic types");
  if (zone.networktype === "Basic" && networks.length > 1)
    report([...path, "physical_networks"], `${name} is Basic and has ${networks.length} physical networks`, "a Basic zone has one");
  const seen = new Set<string>();
  networks.forEach((network, n) => {
    const at = [...path, "physical_networks", n];
    for (const [index, method] of (network.isolationmethods ?? []).entries())
      oneOf("isolation method", method, ISOLATION_METHODS, [...at, "isolationmethods", index], report);
    const here = new Set<string>();
    (network.traffictypes ?? []).forEach(({ typ }, t) => {
      if (typ === undefined) return;
      const place = [...at, "traffictypes", t, "typ"];
      oneOf("traffic type", typ, TRAFFIC_TYPES, place, report);
      if (here.has(typ)) report(place, `physical network ${network.name} carries ${typ} twice`, "remove one of the two");
      else if (ONCE_PER_ZONE.includes(typ) && seen.has(typ)) report(place, `${name} carries ${typ} on two networks`, "leave it on one");
      here.add(typ);
      seen.add(typ);
    });
    const providers = new Set<string>();
    (network.providers ?? []).forEach(({ name: provider }, p) => {
      if (provider !== undefined && providers.has(provider))
        report([...at, "providers", p, "name"], `provider ${provider} of ${network.name} stands twice`, "remove one of the two");
      providers.add(provider ?? "");
    });
  });
  const needed = ["Management", "Guest", ...(zone.networktype === "Advanced" && zone.securitygroupenabled !== true ? ["Public"] : [])];
  for (const typ of needed)
    if (networks.length > 0 && !seen.has(typ))
      report([...path, "physical_networks"], `no physical network of ${name} carries ${typ} traffic`, `add { "typ": "${typ}" }`);
}

/** Where guests share a network it must have addresses. */
function checkGuests(zone: Zone, path: Path, report: Report): void {
  if (zone.networktype === "Basic") {
    (zone.pods ?? []).forEach((pod, p) => {
      if ((pod.guestIpRanges ?? []).length === 0)
        report([...path, "pods", p], `pod ${pod.name} of the Basic zone ${zone.name} has no addresses for guests`, "add guestIpRanges");
    });
  } else if (zone.securitygroupenabled === true && (zone.ipranges ?? []).length === 0)
    report(path, `zone ${zone.name} has security groups and no addresses for guests`, "add an entry to ipranges");
  else if ((zone.ipranges ?? []).length === 0)
    report(path, `zone ${zone.name} has no public addresses`, "add an entry to ipranges: system VMs need one each");
}

function checkClusters(zone: Zone, path: Path, report: Report): void {
  (zone.pods ?? []).forEach((pod, p) => {
    (pod.clusters ?? []).forEach((cluster, c) => {
      const at = [...path, "pods", p, "clusters", c];
      if (cluster.hypervisor !== undefined) oneOf("hypervisor", cluster.hypervisor, HYPERVISORS, [...at, "hypervisor"], report, true);
      if (cluster.clustertype !== undefined)
        oneOf("type of cluster", cluster.clustertype, ["CloudManaged", "ExternalManaged"], [...at, "clustertype"], report);
      if (cluster.hypervisor?.toLowerCase() === "baremetal") checkBareMetal(cluster.hosts ?? [], at, report);
      if (cluster.hypervisor?.toLowerCase() === "vmware" && !cluster.url)
        report(at, `the VMware cluster ${cluster.clustername} has no address`, 'add "url": "http://vcenter/datacenter/cluster"');
    });
  });
}

function checkBareMetal(hosts: readonly Record<string, unknown>[], path: Path, report: Report): void {
  hosts.forEach((host, h) => {
    for (const key of ["hostmac", "cpunumber", "cpuspeed", "memory"])
      if (host[key] === undefined) report([...path, "hosts", h], `the bare-metal host ${host.url} has no ${key}`, `add "${key}"`);
  });
}

function checkStores(zone: Zone, path: Path, report: Report): void {
  const clusters = (zone.pods ?? []).flatMap((pod) => pod.clusters ?? []);
  const kinds = new Set(clusters.map((cluster) => cluster.hypervisor?.toLowerCase()));
  (zone.primaryStorages ?? []).forEach((pool, index) => {
    const at = [...path, "primaryStorages", index];
    if (pool.scope !== undefined && pool.scope.toLowerCase() !== "zone")
      report([...at, "scope"], `the pool ${pool.name ?? pool.url} of the zone has the scope ${pool.scope}`, "move it into a cluster");
    if (pool.hypervisor === undefined && kinds.size !== 1)
      report(at, `the pool ${pool.name ?? pool.url} of zone ${zone.name} does not say for which hypervisor`, 'add "hypervisor"');
  });
  for (const key of ["secondaryStorages", "cacheStorages"] as const)
    (zone[key] ?? []).forEach((store, index) => {
      const at = [...path, key, index];
      if (store.provider !== undefined) oneOf("provider", store.provider, STORE_PROVIDERS, [...at, "provider"], report, true);
      const hasAddress = store.url !== undefined && store.url !== "";
      if (!hasAddress && !/^(s3|swift)$/i.test(store.provider ?? "")) report(at, "a store has no address", 'add "url"');
    });
}

/** The server takes names that it does not know without a word, and makes something else of them (cloudstack-observed facts 33). */
function oneOf(kind: string, value: string, known: readonly string[], path: Path, report: Report, anyCase = false): void {
  const same = (one: string) => (anyCase ? one.toLowerCase() === value.toLowerCase() : one === value);
  if (!known.some(same)) report(path, `there is no ${kind} ${value}${didYouMean(value, known)}`, "correct it");
}
