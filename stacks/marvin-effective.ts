import type { ExternalSite, Inventory } from "./inventory.ts";
import { hostName, isSimulator } from "./marvin.ts";
import { isRecord, lookup } from "./schema.ts";
import { serverOf, takeApart } from "./stores.ts";

type Group = Record<string, unknown>;

/** How the names of a marvin configuration are reached. */
export interface Places {
  managementServer: { address: string; port: number; credential: string };
  /** Whether the configuration's `localhost` is that machine: where we installed it, nobody else is meant. */
  local: boolean;
  machine(name: string): string | undefined;
  store(host: string): string | undefined;
}

export function externalPlaces({ managementServer: { address, ports, credential } }: ExternalSite): Places {
  const none = () => undefined;
  return { managementServer: { address, port: ports.open || ports.api, credential }, local: true, machine: none, store: none };
}

export function sitePlaces(inventory: Inventory, server: { address: string } | undefined): Places {
  return {
    managementServer: { address: server?.address ?? "", port: 8096, credential: "cloudstack" },
    local: server !== undefined,
    machine: (name) => lookup(inventory.machines, name)?.address,
    store: (host) => serverOf(inventory.nfsServers, host)?.address,
  };
}

/**
 * The configuration as the tests get it: addresses instead of names that only the inventory knows, the administrator's keys by
 * reference. Placeholders stay: whoever starts the tests fills them in. Pure.
 * @param value a marvin configuration without faults of form
 */
export function effectiveMarvin(value: Group, places: Places): Group {
  const zones = groups(value.zones).map((zone) => effectiveZone(zone, places));
  const [server, ...others] = groups(value.mgtSvr);
  return {
    ...value,
    zones,
    mgtSvr: [effectiveServer(server ?? {}, places), ...others],
    ...(isRecord(value.dbSvr) ? { dbSvr: effectiveDatabase(value.dbSvr, places) } : {}),
  };
}

function effectiveServer({ mgtSvrName: _, ...server }: Group, { managementServer, local }: Places): Group {
  const { address, port, credential } = managementServer;
  const place = local ? { mgtSvrIp: address, port } : {};
  return { ...server, ...place, apiKey: `\${${credential}.apiKey}`, securityKey: `\${${credential}.secretKey}` };
}

/** The database is asked from where the tests run, which is elsewhere. */
function effectiveDatabase(database: Group, { managementServer, local, machine }: Places): Group {
  const named = String(database.dbSvr ?? "localhost");
  const isLocal = /^(localhost|127\.0\.0\.1)$/.test(named);
  return { ...database, dbSvr: isLocal && local ? managementServer.address : (machine(hostName(named)) ?? named) };
}

function effectiveZone(zone: Group, places: Places): Group {
  const stores = (key: string) => (Array.isArray(zone[key]) ? { [key]: groups(zone[key]).map((one) => effectiveStore(one, places)) } : {});
  const pods = groups(zone.pods).map((pod) => ({
    ...pod,
    clusters: groups(pod.clusters).map((cluster) => ({
      ...cluster,
      ...(Array.isArray(cluster.hosts) ? { hosts: groups(cluster.hosts).map((host) => effectiveHost(host, cluster, places)) } : {}),
      ...(Array.isArray(cluster.primaryStorages)
        ? { primaryStorages: groups(cluster.primaryStorages).map((one) => effectiveStore(one, places)) }
        : {}),
    })),
  }));
  return { ...zone, pods, ...stores("primaryStorages"), ...stores("secondaryStorages"), ...stores("cacheStorages") };
}

function effectiveHost(host: Group, cluster: Group, { machine }: Places): Group {
  const url = String(host.url);
  const address = isSimulator(String(cluster.hypervisor)) ? undefined : machine(hostName(url));
  return address === undefined ? host : { ...host, url: `http://${address}` };
}

function effectiveStore(store: Group, { store: addressOf }: Places): Group {
  const { host, directory } = takeApart(String(store.url ?? ""));
  const address = host === undefined ? undefined : addressOf(host);
  return address === undefined ? store : { ...store, url: `nfs://${address}${directory}` };
}

const groups = (value: unknown): Group[] => (Array.isArray(value) ? value.filter(isRecord) : []);
