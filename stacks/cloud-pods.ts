import type * as pulumi from "@pulumi/pulumi";
import { cluster, host, pod, storagePool, vlanIpRange, vmwareDatacenter } from "../providers/cloudstack/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import type { PlannedCluster, PlannedHost, PlannedPod, PlannedPool, PlannedZone } from "./cloud-plan.ts";
import type { CloudSite } from "./cloud-site.ts";
import { rangeArguments } from "./cloud-zone.ts";

type Made<O> = TestbedResource<object, O & { id: string }>;

interface CloudCluster {
  resource: pulumi.Resource;
  hosts: Made<object>[];
  pools: Made<object>[];
}

/** What the pods of a zone consist of. */
export interface CloudPod {
  clusters: CloudCluster[];
  /** Pools of the whole zone. */
  zonePools: Made<object>[];
  /** All of it. */
  all: pulumi.Resource[];
}

interface Around {
  zone: pulumi.Resource;
  /** Kinds of traffic of the zone: hosts are asked for their labels when they connect. */
  traffic: readonly pulumi.Resource[];
  /** The network that guests share. */
  guests: pulumi.Resource | undefined;
}

export function makePods(site: CloudSite, zone: PlannedZone, around: Around): CloudPod {
  const pods = zone.pods.map((one) => makePod(site, zone, one, around));
  const clusters = pods.flatMap((one) => one.clusters);
  const hosts = clusters.flatMap((one) => one.hosts);
  const zonePools = zone.pools.map((one) => {
    const scope = { scope: "zone" as const, ...(one.hypervisor === undefined ? {} : { hypervisor: one.hypervisor }) };
    return makePool(site, zone.name, one, scope, site.options(around.zone, [...hosts, ...site.store(one.url)]));
  });
  const parts = clusters.flatMap((one) => [one.resource, ...one.hosts, ...one.pools]);
  return { clusters, zonePools, all: [...pods.flatMap((one) => one.others), ...parts, ...zonePools] };
}

function makePod(site: CloudSite, zone: PlannedZone, planned: PlannedPod, { zone: parent, traffic, guests }: Around) {
  const { server } = site;
  const { name, called, start, end, gateway, netmask } = planned;
  // The guests' network can only go after the last pod.
  const resource = new TestbedResource(
    pod,
    name,
    { server, zone: zone.name, name: called, gateway, netmask, startIp: start, endIp: end },
    site.options(parent, guests ? [guests] : []),
  );
  const network = zone.guestNetwork?.called;
  const ranges = planned.guestRanges.map((one) => {
    const use = { use: "guest" as const, pod: called, ...(network === undefined ? {} : { network }) };
    return new TestbedResource(vlanIpRange, one.name, { server, zone: zone.name, ...use, ...rangeArguments(one) }, site.options(resource));
  });
  const datacenter = makeDatacenter(site, zone.name, planned, parent);
  const clusters = planned.clusters.map((one) => makeCluster(site, zone.name, called, one, resource, traffic, datacenter));
  return { clusters, others: [resource, ...ranges, ...datacenter] };
}

function makeDatacenter(
  site: CloudSite,
  zone: string,
  { vmwareDatacenter: planned }: PlannedPod,
  parent: pulumi.Resource,
): pulumi.Resource[] {
  if (!planned) return [];
  const { name, called, vcenter, credential } = planned;
  return [
    new TestbedResource(vmwareDatacenter, name, { server: site.server, zone, name: called, vcenter, credential }, site.options(parent)),
  ];
}

function makeCluster(
  site: CloudSite,
  zone: string,
  podName: string,
  planned: PlannedCluster,
  parent: pulumi.Resource,
  traffic: readonly pulumi.Resource[],
  datacenter: readonly pulumi.Resource[],
): CloudCluster {
  const { name, called, hypervisor, type, vmware } = planned;
  const place = { zone, pod: podName, cluster: called };
  const args = {
    ...{ server: site.server, zone, pod: podName, name: called, hypervisor, type: type as "CloudManaged" },
    ...(vmware ? { url: vmware.url, credential: vmware.credential } : {}),
  };
  const resource = new TestbedResource(cluster, name, args, site.options(parent, vmware ? datacenter : []));
  const hosts = planned.hosts.map((one) => makeHost(site, { ...place, hypervisor }, one, resource, traffic));
  // A pool is mounted by a host that is up, and every host of the cluster gets it.
  const pools = planned.pools.map((one) =>
    makePool(site, zone, one, { pod: podName, cluster: called }, site.options(resource, [...hosts, ...site.store(one.url)])),
  );
  return { resource, hosts, pools };
}

function makeHost(
  site: CloudSite,
  place: { zone: string; pod: string; cluster: string; hypervisor: string },
  planned: PlannedHost,
  parent: pulumi.Resource,
  traffic: readonly pulumi.Resource[],
): Made<object> {
  const { name, url, user, credential, tags, bareMetal } = planned;
  const machine = site.machine(planned.machine, place.hypervisor);
  const args = {
    ...{ server: site.server, ...place, url, credential, tags },
    ...(user === undefined ? {} : { user }),
    ...(bareMetal ? { bareMetal } : {}),
    ...(machine ? { address: machine.address, machine: machine.token } : {}),
  };
  return new TestbedResource(host, name, args, site.options(parent, [...traffic, ...(machine?.needs ?? [])]));
}

function makePool(
  site: CloudSite,
  zone: string,
  { name, called, url, tags, details }: PlannedPool,
  where: { pod: string; cluster: string } | { scope: "zone"; hypervisor?: string },
  options: pulumi.CustomResourceOptions,
): Made<object> {
  return new TestbedResource(storagePool, name, { server: site.server, zone, name: called, url, tags, details, ...where }, options);
}
