import type { Cloud } from "./cloud.ts";
import { type Database, type Row, timeText } from "./database.ts";
import { insertVolume, linkLocal, macAddress, poolFor, publicAddress, removeInstance, usableHosts } from "./instances.ts";
import { childrenOf } from "./objects.ts";
import { systemTemplate } from "./templates.ts";
import type { VlanRange } from "./vlans.ts";

/** What happens to user VMs and the routers of their networks, as recorded on simulated hosts. */
const ROUTER_MADE_SECONDS = 1.2;
const ROUTER_STARTING_SECONDS = 0.5;
const ROUTER_RUNNING_SECONDS = 0.4;
/** A network without running VMs gives its router back after the settings' wait, looked at in their interval. */
const GARBAGE_SECONDS = 20;

/** Puts a Stopped VM on a host; false when there is none. */
export function placeVm(cloud: Cloud, vm: Row): boolean {
  const { database } = cloud;
  const zone = database.find(vm.zoneId) as Row;
  const host = usableHosts(database, zone).find((one) => one.hypervisor === vm.hypervisor && poolFor(database, one));
  if (!host) return false;
  database.update(vm, { state: "Starting", hostId: host.id, podId: host.podId, updated: timeText() });
  if (childrenOf(database, "volume", "instanceId", vm).length === 0) insertVolume(database, vm, poolFor(database, host) as Row);
  return true;
}

export function setState(database: Database, vm: Row, fields: Record<string, unknown>): void {
  if (!database.isRemoved("instance", vm)) database.update(vm, { ...fields, updated: timeText() });
}

/** The first VM of an isolated network makes it real: a VLAN, an address to go out by, and a router. */
export function implementNetwork(cloud: Cloud, network: Row): void {
  const { database } = cloud;
  if (network.isShared || routerOf(database, network)) return;
  const zone = database.find(network.zoneId) as Row;
  cloud.after(ROUTER_MADE_SECONDS, () => {
    const host = usableHosts(database, zone)[0];
    const place = publicAddress(database, zone);
    if (!host || !place || routerOf(database, network)) return;
    database.update(network, { state: "Implemented", vnet: freeVnet(database, network), sourceNatIp: place.address });
    const router = database.insert("instance", {
      ...{
        type: "DomainRouter",
        state: "Stopped",
        zoneId: zone.id,
        networkId: network.id,
        hypervisor: host.hypervisor,
        created: timeText(),
      },
      ...{ publicIp: place.address, publicMac: macAddress("1e"), publicNetmask: place.vlan.netmask, gateway: place.vlan.gateway },
      ...{ publicVlan: place.vlan.vlan, templateId: systemTemplate(database, zone, String(host.hypervisor))?.id },
      ...{ guestMac: macAddress("02:01:00"), cpu: 500, cores: 1, memory: 2 ** 29, accountId: network.accountId },
    });
    database.update(router, { name: `r-${router.databaseId}-VM` });
    cloud.after(ROUTER_STARTING_SECONDS, () => startRouter(cloud, router, host));
  });
}

function startRouter(cloud: Cloud, router: Row, host: Row): void {
  const { database } = cloud;
  const pool = poolFor(database, host);
  setState(database, router, { state: "Starting", hostId: host.id, podId: host.podId });
  cloud.after(ROUTER_RUNNING_SECONDS, () => {
    if (pool && !database.isRemoved("instance", router)) insertVolume(database, router, pool);
    setState(database, router, { state: "Running", linkLocal: linkLocal() });
  });
}

export const routerOf = (database: Database, network: Row) =>
  childrenOf(database, "instance", "networkId", network).find((vm) => vm.type === "DomainRouter");

function freeVnet(database: Database, network: Row): number | undefined {
  const physical = database.find(network.physicalNetworkId);
  const taken = new Set(database.table("network").map((one) => one.vnet));
  for (const [first, last] of (physical?.vlans ?? []) as VlanRange[])
    for (let vlan = first; vlan <= last; vlan++) if (!taken.has(vlan)) return vlan;
  return undefined;
}

/** A network whose last VM stopped or went is looked at later. */
export function collectGarbage(cloud: Cloud, network: Row): void {
  const { database } = cloud;
  cloud.after(GARBAGE_SECONDS, () => {
    const isUsed = childrenOf(database, "instance", "networkId", network).some(
      (vm) => vm.type === "User" && vm.state !== "Stopped" && vm.state !== "Destroyed",
    );
    const router = routerOf(database, network);
    if (isUsed || !router || database.isRemoved("network", network)) return;
    removeInstance(database, router);
    database.update(network, { state: "Allocated", vnet: undefined, sourceNatIp: undefined });
  });
}
