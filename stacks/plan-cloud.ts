import { systemVmSeeding } from "../providers/nfs/index.ts";
import type { CloudPlan } from "./cloud-plan.ts";
import type { StackConfiguration } from "./config.ts";
import type { Inventory } from "./inventory.ts";
import { hostName, type Marvin } from "./marvin.ts";
import { installation, type PlannedInstallation } from "./plan-installation.ts";
import { planCloud, withStoreAddresses } from "./plan-zones.ts";
import { nfsStores, serverOf, takeApart } from "./stores.ts";

export interface PlannedXenServer {
  address: string;
  tlsSha256: string;
  credential: string;
  members: Record<string, string>;
}

/** The VM that the management server runs on. */
export interface PlannedManagementServer extends PlannedInstallation {
  virtualMachine: {
    server: PlannedXenServer;
    memoryMiB: number;
    cpus: number;
    diskGiB: number;
    bridge: string;
  };
}

type NfsServer = Inventory["nfsServers"][string];
type XenServer = Inventory["xenServers"][string];

export interface PlannedStore {
  kind: "primary" | "secondary";
  server: { address: string } & NfsServer["ssh"];
  roots: string[];
  path: string;
}

export interface PlannedStores {
  list: PlannedStore[];
  /** What secondary stores begin with. */
  template?: { url: string; checksum: string; format: "qcow2" | "vhd" | "ova" | "raw"; id: number };
  /** Why they begin with nothing. */
  unseeded?: string;
}

export function planManagementServer(
  inventory: Inventory,
  marvin: Marvin,
  config: StackConfiguration,
): PlannedManagementServer | undefined {
  const server = marvin.mgtSvr[0];
  const called = server && (server.mgtSvrName ? hostName(server.mgtSvrName) : nameOf(inventory, server.mgtSvrIp));
  const virtualMachine = inventory.machines[called ?? ""]?.virtualMachine;
  const xenServer = inventory.xenServers[virtualMachine?.on ?? ""];
  if (!called || !virtualMachine || !xenServer || !config.managementServer) return undefined;
  const { on, ...shape } = virtualMachine;
  const about = { role: "management-server", why: "the management server of the marvin configuration" };
  const planned = installation(inventory, config, called, config.managementServer.profile, about);
  if (!planned) return undefined;
  return {
    ...planned,
    virtualMachine: { ...shape, server: xenConnection(inventory, on, xenServer) },
  };
}

/** How a XenServer of the inventory is reached. The others may be hosts of its pool, and one of them its coordinator by now. */
export function xenConnection(inventory: Inventory, name: string, { address, tlsSha256, credential }: XenServer): PlannedXenServer {
  const others = Object.entries(inventory.xenServers).filter(([other]) => other !== name);
  const members = Object.fromEntries(others.map(([other, one]) => [one.address ?? other, one.tlsSha256]));
  return { address: address ?? name, tlsSha256, credential, members };
}

/** The cloud of a site with an inventory: its stores by the addresses of their servers, whose names only the inventory may know. */
export function planSiteCloud(inventory: Inventory, marvin: Marvin): CloudPlan {
  return withStoreAddresses(planCloud(marvin), (url) => {
    const { host, directory } = takeApart(url);
    const address = host === undefined ? undefined : serverOf(inventory.nfsServers, host)?.address;
    return address === undefined ? url : `nfs://${address}${directory}`;
  });
}

function nameOf(inventory: Inventory, address: string): string | undefined {
  return Object.entries(inventory.machines).find(([, machine]) => machine.address === address)?.[0];
}

/** Every NFS store of the marvin file once, and what is put into the secondary ones. */
export function planStores(inventory: Inventory, marvin: Marvin, { cloudstack, hypervisor }: StackConfiguration): PlannedStores {
  const list = new Map<string, PlannedStore>();
  for (const { kind, host, directory } of nfsStores(marvin)) {
    const server = host === undefined ? undefined : serverOf(inventory.nfsServers, host);
    if (!server || host === undefined || directory === undefined) continue;
    const address = server.address ?? host;
    // A cache store is emptied like a primary one: nothing is put into it.
    const place = `${address}:${directory}`;
    const store = {
      kind: kind === "secondary" ? kind : "primary",
      server: { address, ...server.ssh },
      roots: server.roots,
      path: directory,
    };
    list.set(place, store as PlannedStore);
  }
  const seeding = systemVmSeeding(cloudstack.release, hypervisor, cloudstack.packages !== undefined);
  if (!seeding.seed) return { list: [...list.values()], unseeded: seeding.reason };
  const { systemVmTemplate } = cloudstack;
  if (!systemVmTemplate) return { list: [...list.values()], unseeded: "the stack names no systemVmTemplate" };
  const { url, sha256 } = systemVmTemplate;
  const { format, id } = seeding;
  return { list: [...list.values()], template: { url, checksum: `sha256:${sha256.toLowerCase()}`, format, id } };
}
