import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Figure, Sample } from "../figure.ts";
import { benchHosts } from "../names.ts";
import { benchFolder, checkout, run } from "../place.ts";

const HOSTS = 1000;
const folder = join(benchFolder, "large-site");

interface Cluster {
  hosts: { url: string }[];
}
interface Pod {
  netmask: string;
  clusters: Cluster[];
}

/** A checkout whose site has 1,000 hosts, all of them in the marvin configuration. */
function makeLargeCheckout(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["cli", "lab", "providers", "runner", "stacks", "environments", "Pulumi.yaml", "Pulumi.kvm.yaml", "package.json"])
    cpSync(join(checkout, name), join(folder, name), { recursive: true });
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  const site = join(folder, "environments/lab");
  enlargeInventory(join(site, "inventory.yaml"));
  enlargeMarvin(join(site, "lab-kvm.cfg"));
}

function enlargeInventory(file: string): void {
  const inventory = parse(readFileSync(file, "utf8"));
  inventory.networks.management.cidr = "10.88.0.0/13";
  inventory.networks.bmc.cidr = "10.96.0.0/16";
  const machines = Object.entries(inventory.machines as Record<string, { bmc?: object; roles: string[] }>);
  const like = machines.find(([, machine]) => machine.roles.includes("hypervisor"))?.[1];
  const others = machines.filter(([, machine]) => !machine.roles.includes("hypervisor"));
  const hypervisors = benchHosts(HOSTS).map(({ name, mac, address }) => [
    name,
    { ...like, mac, address, bmc: { ...like?.bmc, address: address.replace("10.92.", "10.96.") } },
  ]);
  inventory.machines = Object.fromEntries([...others, ...hypervisors]);
  writeFileSync(file, stringify(inventory, { aliasDuplicateObjects: false }));
}

function enlargeMarvin(file: string): void {
  const marvin = JSON.parse(readFileSync(file, "utf8").replaceAll(/^\s*#.*$/gm, "")) as { zones: { pods: Pod[] }[] };
  const pods = marvin.zones.flatMap((zone) => zone.pods);
  for (const pod of pods) pod.netmask = "255.248.0.0";
  const clusters = pods.flatMap((pod) => pod.clusters);
  const like = clusters[0]?.hosts[0];
  for (const cluster of clusters) cluster.hosts = [];
  for (const [index, { name }] of benchHosts(HOSTS).entries())
    clusters[index % clusters.length]?.hosts.push({ ...like, url: `http://${name}` });
  writeFileSync(file, JSON.stringify(marvin, undefined, 2));
}

async function check(): Promise<Sample> {
  makeLargeCheckout();
  const { seconds } = await run([join(folder, "cli/testbed.sh"), "check", "--stack", "kvm"], { folder });
  return { value: seconds, parts: {} };
}

export const inputFigures: Figure[] = [
  {
    id: "check",
    what: `\`testbed check\` on a ${HOSTS}-host inventory`,
    unit: "s",
    must: 1.5,
    command: "time .testbed/bench/large-site/cli/testbed.sh check --stack kvm",
    measure: check,
  },
];
