import { type Range, rangeSize } from "../addresses.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { is, selected } from "../objects.ts";
import { privateAddresses, rangeAddresses } from "../usage.ts";
import { type VlanRange, vlanCount } from "../vlans.ts";

/** Where a capacity is counted: all of a zone, or one pod or cluster of it. */
export interface Scope {
  zone?: Row;
  pod?: Row;
  cluster?: Row;
}

interface Capacity {
  type: number;
  name: string;
  used: number;
  total: number;
  /** Of those that are counted by instances. */
  allocated?: number;
}

const isIn = (row: Row, { zone, pod, cluster }: Scope) =>
  cluster ? row.clusterId === cluster.id : pod ? row.podId === pod.id : row.zoneId === zone?.id;

const sum = (rows: readonly Row[], field: string | ((row: Row) => number)) =>
  rows.reduce((total, row) => total + Number(typeof field === "string" ? (row[field] ?? 0) : field(row)), 0);

function counted(database: Database, scope: Scope): Capacity[] {
  const hosts = database.table("host").filter((host) => host.type === "Routing" && isIn(host, scope));
  const inHosts = database.table("instance").filter((vm) => {
    const host = database.find(vm.hostId);
    return host && isIn(host, scope) && ["Starting", "Running", "Stopping"].includes(String(vm.state));
  });
  const all = database.table("instance").filter((vm) => (scope.zone ? vm.zoneId === scope.zone.id : inHosts.includes(vm)));
  const of = (type: number, name: string, field: string, total: number): Capacity => {
    const allocated = sum(all, field);
    return { type, name, used: sum(inHosts, field), total, ...(allocated > 0 ? { allocated } : {}) };
  };
  return [
    of(0, "MEMORY", "memory", sum(hosts, "memory")),
    of(
      1,
      "CPU",
      "cpu",
      sum(hosts, (host) => Number(host.cores) * Number(host.speed)),
    ),
    of(90, "CPU_CORE", "cores", sum(hosts, "cores")),
  ];
}

function stored(database: Database, scope: Scope): Capacity[] {
  const pools = database.table("storagepool").filter((pool) => isIn(pool, scope));
  const measured = pools.filter((pool) => pool.measured);
  return [{ type: 2, name: "STORAGE", used: 0, total: sum(measured, "capacity") }];
}

/** Kinds that the capacity checker counts: they appear when it has first looked. */
function checked(database: Database, scope: Scope): Capacity[] {
  const pools = database.table("storagepool").filter((pool) => isIn(pool, scope));
  const volumes = database.table("volume").filter((volume) => pools.some((pool) => pool.id === volume.poolId));
  const all: Capacity[] = [{ type: 3, name: "STORAGE_ALLOCATED", used: volumes.length * VOLUME_SHARE, total: 2 * sum(pools, "capacity") }];
  const pods = database.table("pod").filter((pod) => (scope.pod ? pod === scope.pod : pod.zoneId === scope.zone?.id));
  if (scope.cluster) return all;
  const privates = {
    used: sum(pods, (pod) => privateAddresses(database, pod).size),
    total: sum(pods, (pod) => sumRanges(pod.ranges as Range[])),
  };
  all.push({ type: 5, name: "PRIVATE_IP", ...privates });
  if (!scope.zone) return all;
  const ranges = database.table("vlan").filter((vlan) => vlan.zoneId === scope.zone?.id);
  const publics = ranges.filter((vlan) => vlan.isPublic);
  const taken = (rows: readonly Row[]) => ({
    used: sum(rows, (vlan) => rangeAddresses(database, vlan).length),
    total: sumRanges(rows as unknown as Range[]),
  });
  all.push({ type: 4, name: "VIRTUAL_NETWORK_PUBLIC_IP", ...taken(publics) });
  const direct = ranges.filter((vlan) => !vlan.isPublic);
  if (direct.length > 0) all.push({ type: 8, name: "DIRECT_ATTACHED_PUBLIC_IP", ...taken(direct) });
  const networks = database.table("physicalnetwork").filter((network) => network.zoneId === scope.zone?.id);
  const vnets = database.table("network").filter((network) => network.zoneId === scope.zone?.id && typeof network.vnet === "number");
  all.push({ type: 7, name: "VLAN", used: vnets.length, total: sum(networks, (network) => vlanCount(network.vlans as VlanRange[])) });
  return all;
}

/** What the disk of a simulated system VM takes of a pool. */
export const VOLUME_SHARE = 100;

const sumRanges = (ranges: readonly Range[]) => ranges.reduce((total, range) => total + rangeSize(range), 0);

function capacities(database: Database, scope: Scope): Capacity[] {
  const zone = scope.zone ?? database.find((scope.pod ?? scope.cluster)?.zoneId);
  return [
    ...counted(database, scope),
    ...stored(database, scope),
    ...(zone?.capacityChecked ? checked(database, scope) : []),
    ...(scope.zone ? [{ type: 6, name: "SECONDARY_STORAGE", used: 0, total: 0 }] : []),
  ].sort((one, other) => one.type - other.type);
}

const figures = ({ used, total }: Capacity): Reply => ({ capacityused: used, capacitytotal: total, percentused: share(used, total) });

/** As lists of zones, pods and clusters show it with `showcapacities`. */
export function capacityOf(database: Database, scope: Scope): Reply[] {
  return capacities(database, scope).map((one) => ({ type: one.type, name: one.name, ...figures(one) }));
}

/** A share in per cent as Java's DecimalFormat writes it: two digits at most, and halves to the even side. */
export function share(used: number, total: number): string {
  if (total === 0) return "0";
  const hundredths = (used / total) * 10_000;
  const floor = Math.floor(hundredths);
  const rest = hundredths - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  return String(rounded / 100);
}

export const capacityCommands: Commands = {
  listCapacity: {
    run(request: Request) {
      const { database } = request.cloud;
      const { type } = request.parameters;
      const zones = selected(request, database.table("zone"), { zoneid: is("id") });
      const rows = zones.flatMap((zone) => {
        const all = [...capacities(database, { zone }), { type: 19, name: "GPU", used: 0, total: 0 }].sort(
          (one, other) => one.type - other.type,
        );
        return all.map((one: Capacity) => ({
          ...{ type: one.type, name: one.name, zoneid: zone.id, zonename: zone.name },
          ...(one.allocated === undefined ? {} : { capacityallocated: one.allocated }),
          ...figures(one),
        }));
      });
      return listReply(
        request,
        "capacity",
        rows.filter((row) => type === undefined || row.type === Number(type)),
      );
    },
  },
};
