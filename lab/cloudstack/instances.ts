import { randomBytes } from "node:crypto";
import { freeAddress, type Range } from "./addresses.ts";
import type { Cloud } from "./cloud.ts";
import { type Database, type Row, timeText } from "./database.ts";
import { bootTicks } from "./hosts.ts";
import { childrenOf } from "./objects.ts";
import { privateAddresses, rangeAddresses } from "./usage.ts";

/** Hosts that a new instance can be put on. */
export function usableHosts(database: Database, zone: Row, except?: Row): Row[] {
  return childrenOf(database, "host", "zoneId", zone).filter(
    (host) =>
      host.type === "Routing" &&
      host.state === "Up" &&
      host.resourceState === "Enabled" &&
      host !== except &&
      database.find(host.clusterId)?.allocationState === "Enabled" &&
      database.find(host.podId)?.allocationState === "Enabled",
  );
}

/** A pool that a host can use. */
export function poolFor(database: Database, host: Row): Row | undefined {
  return database
    .table("storagepool")
    .find(
      (pool) =>
        pool.state === "Up" &&
        (pool.clusterId === host.clusterId ||
          (pool.scope === "ZONE" && pool.zoneId === host.zoneId && pool.hypervisor === host.hypervisor)),
    );
}

export function macAddress(prefix: string): string {
  return `${prefix}:${[...randomBytes(6 - prefix.split(":").length)].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
}

/** The next address of an IP range of the zone that system VMs take their public one from. */
export function publicAddress(database: Database, zone: Row, pod?: Row): { address: string; vlan: Row } | undefined {
  const ranges = childrenOf(database, "vlan", "zoneId", zone).filter(
    (vlan) => (!vlan.podId || !pod || vlan.podId === pod.id) && (vlan.isPublic ? !vlan.account : zone.securityGroups === true),
  );
  for (const vlan of ranges) {
    const address = freeAddress(vlan as unknown as Range, new Set(rangeAddresses(database, vlan)));
    if (address) return { address, vlan };
  }
  return undefined;
}

/** The next private address of a pod. */
export function privateAddress(database: Database, pod: Row): string | undefined {
  const taken = privateAddresses(database, pod);
  return (pod.ranges as Range[]).map((range) => freeAddress(range, taken)).find(Boolean);
}

export function linkLocal(): { ip: string; mac: string } {
  const [one = 0, other = 0] = randomBytes(2);
  const hex = [one, other].map((byte) => byte.toString(16).padStart(2, "0"));
  return { ip: `169.254.${one}.${other}`, mac: `0e:00:a9:fe:${hex.join(":")}` };
}

/** The disk of an instance. */
export function insertVolume(database: Database, vm: Row, pool: Row): Row {
  return database.insert("volume", {
    ...{
      name: `ROOT-${vm.databaseId}`,
      instanceId: vm.id,
      zoneId: vm.zoneId,
      podId: pool.podId,
      clusterId: pool.clusterId,
      poolId: pool.id,
    },
    ...{ state: "Ready", created: timeText() },
  });
}

/** The agent of a system VM is a host of its own kind, by the VM's name. */
export function agentOf(database: Database, vm: Row): Row | undefined {
  return database
    .table("host")
    .filter((host) => host.instanceId === vm.id)
    .at(-1);
}

export function connectAgent(cloud: Cloud, vm: Row): void {
  const { database } = cloud;
  const before = agentOf(database, vm);
  if (before && before.state !== "Disconnected") return;
  database.insert("host", {
    ...{ instanceId: vm.id, name: vm.name, type: vm.type === "ConsoleProxy" ? "ConsoleProxy" : "SecondaryStorageVM", state: "Up" },
    ...{
      resourceState: "Enabled",
      ipAddress: vm.privateIp,
      zoneId: vm.zoneId,
      podId: vm.podId,
      created: timeText(),
      lastPinged: bootTicks(),
    },
  });
}

/** Whatever runs on a host that is to be empty goes to another one, or stops and is started again by the next scan. */
export function leaveHost(cloud: Cloud, host: Row): void {
  const { database } = cloud;
  for (const vm of childrenOf(database, "instance", "hostId", host)) {
    const zone = database.find(vm.zoneId) as Row;
    const other = usableHosts(database, zone, host).find((one) => one.hypervisor === host.hypervisor && poolFor(database, one));
    if (other) database.update(vm, { hostId: other.id });
    else stopInstance(database, vm);
  }
}

export function stopInstance(database: Database, vm: Row): void {
  database.update(vm, { state: "Stopped", hostId: undefined, privateIp: undefined, linkLocal: undefined });
  const agent = agentOf(database, vm);
  if (agent) database.update(agent, { state: "Disconnected" });
}

/** Takes an instance and what is its own out of the database. */
export function removeInstance(database: Database, vm: Row): void {
  for (const volume of childrenOf(database, "volume", "instanceId", vm)) database.remove("volume", volume);
  for (const agent of childrenOf(database, "host", "instanceId", vm)) database.remove("host", agent);
  database.update(vm, { publicIp: undefined, privateIp: undefined, guestIp: undefined });
  database.remove("instance", vm);
}
