import { netmaskOf } from "./addresses.ts";
import { profileFor, type StackConfiguration } from "./config.ts";
import type { Inventory, InventoryMachine } from "./inventory.ts";
import { type Marvin, marvinHosts } from "./marvin.ts";
import type { SnippetUse } from "./snippets.ts";

export interface PlannedMachine {
  name: string;
  fqdn: string;
  mac: string;
  address: string;
  netmask: string;
  gateway: string;
  nameServers: string[];
  bmc: NonNullable<InventoryMachine["bmc"]> & { pacingSeconds: number };
  profile: string;
  distro: string;
  os: { id: string; version: string };
  generation: string;
  role: "hypervisor";
  firmware: "bios" | "uefi";
  /** Why it runs this profile. */
  why: string;
}

/** Everything that a stack will make, as plain data. */
export interface Plan {
  site: string;
  stack: string;
  generation: string;
  embedded: boolean;
  driver: Inventory["driver"];
  /** `file` is relative to the project folder. */
  templates: { name: string; file: string; kind: Inventory["templates"][string]["kind"]; sha256: string; snippets: string[] }[];
  /** Those that the templates include. */
  snippets: { name: string; file: string; sha256: string }[];
  /** Those that the profiles name. */
  repos: ({ name: string } & Inventory["repos"][string])[];
  distros: ({ name: string } & Inventory["distros"][string])[];
  profiles: ({ name: string } & Inventory["profiles"][string])[];
  machines: PlannedMachine[];
  /** Every machine of the inventory, whether this stack installs it or not. */
  dnsEntries: { name: string; fqdn: string; mac: string; address: string }[];
  limits: Inventory["limits"];
}

/** Pure: no file, no network, no Pulumi. The inputs have passed every check. */
export function plan(
  inventory: Inventory,
  marvin: Marvin,
  config: StackConfiguration,
  templateDigests: Record<string, string>,
  snippetUse: SnippetUse = { digests: {}, uses: {} },
): Plan {
  const fqdn = (name: string, network: string) => `${name}.${inventory.networks[network]?.domain ?? "localdomain"}`;
  const limits = stackLimits(inventory, config);
  const machines = marvinHosts(marvin).flatMap((host): PlannedMachine[] => {
    const machine = inventory.machines[host.name];
    const profileName = profileFor(config.profiles, host.hypervisor) ?? "";
    const profile = inventory.profiles[profileName];
    const network = machine && inventory.networks[machine.network];
    if (!machine?.bmc || !profile || !network) return [];
    // A machine asks the driver where it is in the machine's own network.
    const driverAddress = inventory.driver.addresses[machine.network] ?? inventory.driver.address;
    return [
      {
        name: host.name,
        fqdn: fqdn(host.name, machine.network),
        mac: machine.mac,
        address: machine.address,
        netmask: netmaskOf(network.cidr),
        gateway: network.gateway ?? driverAddress,
        nameServers: [driverAddress],
        bmc: { ...machine.bmc, pacingSeconds: limits.bmcPacingSeconds },
        profile: profileName,
        distro: profile.distro,
        os: profile.os,
        generation: config.generations[host.name] ?? config.generation,
        role: "hypervisor",
        firmware: machine.firmware,
        why: `cluster ${host.cluster} of pod ${host.pod} in zone ${host.zone} runs ${host.hypervisor}`,
      },
    ];
  });
  const profiles = Object.entries(inventory.profiles).filter(([name]) => machines.some((machine) => machine.profile === name));
  const used = (pick: (profile: Inventory["profiles"][string]) => string) => new Set(profiles.map(([, profile]) => pick(profile)));
  const [distros, templates] = [used((profile) => profile.distro), used((profile) => profile.template)];
  return {
    site: inventory.site,
    stack: config.stack,
    generation: config.generation,
    embedded: inventory.embedded,
    driver: inventory.driver,
    templates: Object.entries(inventory.templates)
      .filter(([name]) => templates.has(name))
      .map(([name, template]) => ({
        name,
        file: `environments/${inventory.site}/${template.file}`,
        kind: template.kind,
        sha256: templateDigests[name] ?? "",
        snippets: snippetUse.uses[name] ?? [],
      })),
    snippets: Object.entries(inventory.snippets)
      .filter(([name]) => [...templates].some((template) => snippetUse.uses[template]?.includes(name)))
      .map(([name, { file }]) => ({ name, file: `environments/${inventory.site}/${file}`, sha256: snippetUse.digests[name] ?? "" })),
    repos: Object.entries(inventory.repos)
      .filter(([name]) => profiles.some(([, profile]) => profile.repos.includes(name)))
      .map(([name, repo]) => ({ name, ...repo })),
    distros: Object.entries(inventory.distros)
      .filter(([name]) => distros.has(name))
      .map(([name, distro]) => ({ name, ...distro })),
    profiles: profiles.map(([name, profile]) => ({ name, ...profile })),
    machines,
    dnsEntries: Object.entries(inventory.machines).map(([name, machine]) => ({
      name,
      fqdn: fqdn(name, machine.network),
      mac: machine.mac,
      address: machine.address,
    })),
    limits,
  };
}

/** The inventory's limits, and what the stack sets otherwise. */
function stackLimits(inventory: Inventory, { limits }: StackConfiguration): Inventory["limits"] {
  return {
    simultaneousInstalls: limits.simultaneousInstalls ?? inventory.limits.simultaneousInstalls,
    bmcPacingSeconds: limits.bmcPacingSeconds ?? inventory.limits.bmcPacingSeconds,
    installSeconds: limits.installSeconds ?? inventory.limits.installSeconds,
  };
}
