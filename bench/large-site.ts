import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { benchHosts } from "./names.ts";

interface Cluster {
  hosts: { url: string }[];
}
interface Pod {
  netmask: string;
  clusters: Cluster[];
}

/** Makes a copy of the lab's site one of so many hypervisor hosts, all of them in the marvin configuration, which may install all at once. */
export function enlargeSite(folder: string, hosts: number): void {
  enlargeInventory(join(folder, "inventory.yaml"), hosts);
  enlargeMarvin(join(folder, "lab-kvm.cfg"), hosts);
}

function enlargeInventory(file: string, hosts: number): void {
  const inventory = parse(readFileSync(file, "utf8"));
  inventory.networks.management.cidr = "10.88.0.0/13";
  inventory.networks.bmc.cidr = "10.96.0.0/16";
  inventory.limits = { ...inventory.limits, simultaneousInstalls: hosts };
  const machines = Object.entries(inventory.machines as Record<string, { bmc?: object; roles: string[] }>);
  const like = machines.find(([, machine]) => machine.roles.includes("hypervisor"))?.[1];
  const others = machines.filter(([, machine]) => !machine.roles.includes("hypervisor"));
  const hypervisors = benchHosts(hosts).map(({ name, mac, address }) => [
    name,
    { ...like, mac, address, bmc: { ...like?.bmc, address: address.replace("10.92.", "10.96.") } },
  ]);
  inventory.machines = Object.fromEntries([...others, ...hypervisors]);
  writeFileSync(file, stringify(inventory, { aliasDuplicateObjects: false }));
}

function enlargeMarvin(file: string, hosts: number): void {
  const marvin = JSON.parse(readFileSync(file, "utf8").replaceAll(/^\s*#.*$/gm, "")) as { zones: { pods: Pod[] }[] };
  const pods = marvin.zones.flatMap((zone) => zone.pods);
  for (const pod of pods) pod.netmask = "255.248.0.0";
  const clusters = pods.flatMap((pod) => pod.clusters);
  const like = clusters[0]?.hosts[0];
  for (const cluster of clusters) cluster.hosts = [];
  for (const [index, { name }] of benchHosts(hosts).entries())
    clusters[index % clusters.length]?.hosts.push({ ...like, url: `http://${name}` });
  writeFileSync(file, JSON.stringify(marvin, undefined, 2));
}
