import type { CloudPlan, PlannedGuestNetwork, PlannedImageStore, PlannedPool, PlannedZone } from "./cloud-plan.ts";
import type { Marvin } from "./marvin-schema.ts";
import { planNetworks } from "./plan-networks.ts";
import { given, numbered, planDetails, planRange } from "./plan-parts.ts";
import { isZoneWide, planPod, planPool } from "./plan-pods.ts";

type Zone = Marvin["zones"][number];

/** What the marvin configuration makes of a cloud. Pure; what it does not read, nothing reads (checks/unread.ts). */
export function planCloud(marvin: Marvin): CloudPlan {
  const { s3 } = marvin;
  return {
    settings: Object.fromEntries(marvin.globalConfig.map(({ name, value }) => [name, value])),
    zones: withNamedStores(marvin.zones.map(planZone)),
    imageStores: s3 ? [{ name: "s3", provider: "S3", ...planDetails(s3, "s3") }] : [],
  };
}

function planZone(zone: Zone): PlannedZone {
  const { name } = zone;
  return {
    name,
    networkType: zone.networktype,
    securityGroups: zone.securitygroupenabled === true,
    localStorage: zone.localstorageenabled === true,
    dns: [zone.dns1, zone.dns2].filter((one) => one !== undefined),
    internalDns: [zone.internaldns1, zone.internaldns2].filter((one) => one !== undefined),
    ...given("domain", zone.domain),
    // The server refuses it in a Basic zone, and marvin leaves it out with security groups.
    ...given("guestCidr", sharesGuests(zone) ? undefined : zone.guestcidraddress),
    details: Object.fromEntries(zone.details.map(({ key, value }) => [key, value])),
    enabled: zone.enabled ?? true,
    physicalNetworks: planNetworks(zone),
    ...given("guestNetwork", sharesGuests(zone) ? guestNetwork(zone) : undefined),
    publicRanges: hasPublicRanges(zone) ? zone.ipranges.map((one, index) => planRange(`${name}/public-${index + 1}`, one)) : [],
    pods: zone.pods.map((pod) => planPod(name, pod, sharesGuests(zone))),
    pools: zonePools(zone),
    stagingStores: zone.cacheStorages.map((one, index) => planStore(`${name}/staging-${index + 1}`, one, true)),
    imageStores: zone.secondaryStorages.map((one, index) => planStore(`${name}/secondary-${index + 1}`, one, false)),
  };
}

/** Whether guests are in one shared network, kept apart by security groups. */
export function sharesGuests(zone: Pick<Zone, "networktype" | "securitygroupenabled">): boolean {
  return zone.networktype === "Basic" || zone.securitygroupenabled === true;
}

function carriesPublic(zone: Zone): boolean {
  return zone.physical_networks.some((network) => network.traffictypes.some(({ typ }) => typ === "Public"));
}

/** Advanced zones without security groups have them; a Basic one only for elastic addresses. */
function hasPublicRanges(zone: Zone): boolean {
  return zone.networktype === "Basic" ? carriesPublic(zone) : !sharesGuests(zone);
}

/** Names and offerings are those that marvin uses. */
function guestNetwork(zone: Zone): PlannedGuestNetwork {
  const name = `${zone.name}/guest`;
  const offering = zone.networkofferingname ?? "DefaultSharedNetworkOfferingWithSGService";
  if (zone.networktype === "Basic") {
    const elastic = zone.networkofferingname ?? "DefaultSharedNetscalerEIPandELBNetworkOffering";
    return { name, called: "guestNetworkForBasicZone", offering: carriesPublic(zone) ? elastic : offering };
  }
  // Of several ranges marvin uses the last; the others are reported.
  const last = zone.ipranges.at(-1);
  return { name, called: "Shared SG enabled network", offering, ...given("range", last && planRange(`${name}-range`, last)) };
}

/** Pools of the whole zone, also those that stand below a cluster. */
function zonePools(zone: Zone): PlannedPool[] {
  const clusters = zone.pods.flatMap((pod) => pod.clusters);
  const [first, ...others] = new Set(clusters.map((cluster) => cluster.hypervisor));
  // The server makes such a pool for one hypervisor; in a zone of one kind there is no question which.
  const only = others.length === 0 ? first : undefined;
  const inClusters = clusters.flatMap((cluster) => cluster.primaryStorages.filter(isZoneWide));
  const ownPools = zone.primaryStorages.filter((pool) => pool.scope === undefined || isZoneWide(pool));
  return numbered([...ownPools, ...inClusters].map((pool) => planPool(zone.name, pool, pool.hypervisor ?? only)));
}

/** 4.0 and 4.1 gave the address alone, which says the provider. */
export function storeProvider(store: { provider?: string | undefined; url?: string | undefined }): string {
  if (store.provider !== undefined) return store.provider;
  const scheme = store.url?.split(":")[0]?.toLowerCase();
  return scheme === "cifs" || scheme === "smb" ? "SMB" : "NFS";
}

function planStore(name: string, store: Zone["secondaryStorages"][number], staging: boolean): PlannedImageStore {
  const provider = storeProvider(store);
  // The server takes no details of an NFS store, but of a staging store whatever it is.
  const details = staging || provider.toUpperCase() !== "NFS" ? store.details : undefined;
  return {
    name,
    ...given("called", store.name),
    provider,
    ...given("url", store.url),
    ...planDetails(details ?? {}, provider.toLowerCase()),
  };
}

/** The server calls a store by its address and wants names that are unique in the cloud: two zones on one store need one each. */
function withNamedStores(zones: readonly PlannedZone[]): PlannedZone[] {
  const seen = new Set<string>();
  const named = (zone: string, store: PlannedImageStore): PlannedImageStore => {
    const called = store.called ?? store.url ?? store.name;
    const taken = seen.has(called);
    seen.add(called);
    return taken ? { ...store, called: `${called} for ${zone}` } : store;
  };
  return zones.map((zone) => ({ ...zone, imageStores: zone.imageStores.map((store) => named(zone.name, store)) }));
}

/** The plan with the addresses of its stores as the server is to be told them. */
export function withStoreAddresses(cloud: CloudPlan, addressOf: (url: string) => string): CloudPlan {
  const pool = (one: PlannedPool) => ({ ...one, url: addressOf(one.url) });
  const store = (one: PlannedImageStore) => (one.url === undefined ? one : { ...one, url: addressOf(one.url) });
  const zones = cloud.zones.map((zone) => ({
    ...zone,
    pools: zone.pools.map(pool),
    stagingStores: zone.stagingStores.map(store),
    imageStores: zone.imageStores.map(store),
    pods: zone.pods.map((pod) => ({ ...pod, clusters: pod.clusters.map((cluster) => ({ ...cluster, pools: cluster.pools.map(pool) })) })),
  }));
  return { ...cloud, zones };
}
