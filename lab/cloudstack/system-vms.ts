import { addAlert } from "./alerts.ts";
import type { Cloud } from "./cloud.ts";
import { type Database, type Row, timeText } from "./database.ts";
import {
  agentOf,
  connectAgent,
  insertVolume,
  linkLocal,
  macAddress,
  poolFor,
  privateAddress,
  publicAddress,
  usableHosts,
} from "./instances.ts";
import { childrenOf } from "./objects.ts";
import { startDownloads, systemTemplate } from "./templates.ts";

/** Seconds between the looks for system VMs that are missing, and from enabling a zone to the first of them. */
const SCAN_SECONDS = 30;
const FIRST_SCAN_SECONDS = 60;
const AFTER_ENABLING_SECONDS = 6;

interface Course {
  /** From being made to being started, from there to Running, and from there to an agent that is Up. */
  made: number;
  starting: number;
  agent: number;
}

/** Simulated ones as recorded (cloudstack-observed facts 28); a real one boots. */
const simulated: Course = { made: 0.5, starting: 1.5, agent: 0 };
const real: Course = { made: 1, starting: 40, agent: 25 };

interface Kind {
  type: "ConsoleProxy" | "SecondaryStorageVm";
  prefix: string;
  memory: number;
}

const consoleProxy: Kind = { type: "ConsoleProxy", prefix: "v", memory: 2 ** 30 };
const secondaryStorage: Kind = { type: "SecondaryStorageVm", prefix: "s", memory: 2 ** 29 };

export function startScans(cloud: Cloud): void {
  const scan = () => {
    for (const zone of cloud.database.table("zone")) scanZone(cloud, zone);
    cloud.after(SCAN_SECONDS, scan);
  };
  cloud.after(FIRST_SCAN_SECONDS, scan);
}

export function scanSoon(cloud: Cloud, zone: Row): void {
  cloud.after(AFTER_ENABLING_SECONDS, () => scanZone(cloud, zone));
}

/** One console proxy, and one secondary storage VM for each image store that is written to; only in enabled zones. */
function scanZone(cloud: Cloud, zone: Row): void {
  const { database } = cloud;
  if (zone.allocationState !== "Enabled" || database.isRemoved("zone", zone)) return;
  const stores = database.table("imagestore").filter((store) => (store.zoneId ?? zone.id) === zone.id && !store.readonly);
  ensure(cloud, zone, consoleProxy, stores[0]);
  for (const store of stores) ensure(cloud, zone, secondaryStorage, store);
}

function ensure(cloud: Cloud, zone: Row, kind: Kind, store: Row | undefined): void {
  if (!store) return;
  const { database } = cloud;
  const there = childrenOf(database, "instance", "zoneId", zone).filter((vm) => vm.type === kind.type);
  const one = there.find((vm) => kind.type === "ConsoleProxy" || vm.storeId === store.id);
  if (one && one.state !== "Stopped") return;
  const host = hostFor(database, zone);
  if (!host) return;
  const vm = one ?? make(database, zone, kind, store, host);
  if (vm) cloud.after(one ? 0 : courseOf(host).made, () => void start(cloud, vm));
}

const courseOf = (host: Row) => (host.hypervisor === "Simulator" ? simulated : real);

/** A host with storage whose hypervisor's system template is there. */
function hostFor(database: Database, zone: Row): Row | undefined {
  return usableHosts(database, zone).find((host) => poolFor(database, host) && systemTemplate(database, zone, String(host.hypervisor)));
}

function make(database: Database, zone: Row, kind: Kind, store: Row, host: Row): Row | undefined {
  const place = publicAddress(database, zone, database.find(host.podId));
  if (!place) return undefined;
  const template = systemTemplate(database, zone, String(host.hypervisor));
  const vm = database.insert("instance", {
    ...{ type: kind.type, state: "Stopped", zoneId: zone.id, hypervisor: host.hypervisor, storeId: store.id, templateId: template?.id },
    ...{ publicIp: place.address, publicMac: macAddress("1e"), publicNetmask: place.vlan.netmask, gateway: place.vlan.gateway },
    ...{ cpu: 500, cores: 1, memory: kind.memory, created: timeText() },
  });
  database.update(vm, { name: `${kind.prefix}-${vm.databaseId}-VM` });
  return vm;
}

/** Starts one that is Stopped; also what `startSystemVm` does. */
export function start(cloud: Cloud, vm: Row): boolean {
  const { database } = cloud;
  const zone = database.find(vm.zoneId) as Row;
  const host = hostFor(database, zone);
  if (vm.state !== "Stopped" || database.isRemoved("instance", vm) || !host) return false;
  database.update(vm, { state: "Starting", hostId: host.id, podId: host.podId });
  cloud.after(courseOf(host).starting, () => started(cloud, vm));
  return true;
}

function started(cloud: Cloud, vm: Row): void {
  const { database } = cloud;
  const host = database.find(vm.hostId);
  const pool = host && poolFor(database, host);
  if (vm.state !== "Starting" || database.isRemoved("instance", vm) || !host || !pool) return;
  const pod = database.find(host.podId) as Row;
  if (childrenOf(database, "volume", "instanceId", vm).length === 0) insertVolume(database, vm, pool);
  database.update(vm, {
    ...{ state: "Running", privateIp: privateAddress(database, pod), privateMac: macAddress("1e"), privateNetmask: pod.netmask },
    linkLocal: linkLocal(),
  });
  cloud.after(courseOf(host).agent, () => agentUp(cloud, vm));
}

/** On the simulator the console proxy never has an agent (cloudstack-observed facts 29). */
function agentUp(cloud: Cloud, vm: Row): void {
  const { database } = cloud;
  const zone = database.find(vm.zoneId) as Row;
  if (vm.state !== "Running" || database.isRemoved("instance", vm)) return;
  const isProxy = vm.type === "ConsoleProxy";
  if (!isProxy || vm.hypervisor !== "Simulator") connectAgent(cloud, vm);
  if (!isProxy) startDownloads(cloud, zone);
  const addresses = `public IP [${vm.publicIp}], private IP [${vm.privateIp}]`;
  if (isProxy)
    addAlert(database, 10, "ALERT.SERVICE.CONSOLEPROXY", `Console proxy up in zone [${zone.name}], proxy [${vm.name}], ${addresses}.`);
  else
    addAlert(
      database,
      19,
      "ALERT.SERVICE.SSVM",
      `Secondary Storage Vm is up in zone [${zone.name}], secStorageVm [${vm.name}], ${addresses}.`,
    );
}

export const agentState = (database: Database, vm: Row) => agentOf(database, vm)?.state;
