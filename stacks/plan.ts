import { contains, networkBounds } from "./addresses.ts";
import type { CloudPlan } from "./cloud-plan.ts";
import { profileFor, type StackConfiguration } from "./config.ts";
import { hypervisorOf } from "./hypervisor.ts";
import type { ExternalSite, Inventory, InventoryMachine } from "./inventory.ts";
import { type Marvin, marvinHosts } from "./marvin.ts";
import { type PlannedManagementServer, type PlannedStores, planManagementServer, planSiteCloud, planStores } from "./plan-cloud.ts";
import { fqdnOf, installation, type PlannedInstallation } from "./plan-installation.ts";
import { planCloud } from "./plan-zones.ts";
import type { SnippetUse } from "./snippets.ts";

export interface PlannedMachine extends PlannedInstallation {
  bmc: NonNullable<InventoryMachine["bmc"]> & { pacingSeconds: number };
}

/** Name and address of a machine of the inventory; alike in every stack of the site, which hold it together. */
export interface PlannedEntry {
  name: string;
  fqdn: string;
  mac: string;
  address: string;
  /** Whether a stack of the site, this one or another, may install it. */
  installable: boolean;
}

/** Everything that a stack will make, as plain data. */
export interface Plan {
  site: string;
  stack: string;
  generation: string;
  embedded: boolean;
  driver: Inventory["driver"];
  driverFqdn: string;
  /** `file` is relative to the project folder. */
  templates: { name: string; file: string; kind: Inventory["templates"][string]["kind"]; sha256: string; snippets: string[] }[];
  /** Those that the templates include. */
  snippets: { name: string; file: string; sha256: string }[];
  /** Those that the profiles name. */
  repos: ({ name: string } & Inventory["repos"][string])[];
  distros: ({ name: string } & Inventory["distros"][string])[];
  profiles: ({ name: string } & Inventory["profiles"][string])[];
  machines: PlannedMachine[];
  /** Absent where the marvin file names one that the inventory has as no VM, or the stack names no profile for it. */
  managementServer?: PlannedManagementServer;
  stores: PlannedStores;
  /** What is made in the management server; nothing is where there is none. */
  cloud: CloudPlan;
  /** What the stack allows itself in the cloud. */
  cloudLicence: StackConfiguration["cloud"];
  /** Which CloudStack is under test. */
  cloudstack: StackConfiguration["cloudstack"];
  logLevel: NonNullable<StackConfiguration["logLevel"]>;
  /** Every machine of the inventory, whether this stack installs it or not. */
  dnsEntries: PlannedEntry[];
  limits: Inventory["limits"];
}

/** What a stack makes on a management server that runs already: the cloud, and nothing else. */
export interface ExternalPlan {
  site: string;
  stack: string;
  generation: string;
  managementServer: ExternalSite["managementServer"];
  cloud: CloudPlan;
  cloudLicence: StackConfiguration["cloud"];
  cloudstack: StackConfiguration["cloudstack"];
}

export function planExternal({ site, managementServer }: ExternalSite, marvin: Marvin, config: StackConfiguration): ExternalPlan {
  const { stack, generation, cloud: cloudLicence, cloudstack } = config;
  return { site, stack, generation, managementServer, cloud: planCloud(marvin), cloudLicence, cloudstack };
}

/** Pure: no file, no network, no Pulumi. The inputs have passed every check. */
export function plan(
  inventory: Inventory,
  marvin: Marvin,
  config: StackConfiguration,
  templateDigests: Record<string, string>,
  snippetUse: SnippetUse = { digests: {}, uses: {} },
): Plan {
  const limits = stackLimits(inventory, config);
  const machines = marvinHosts(marvin).flatMap((host): PlannedMachine[] => {
    const bmc = inventory.machines[host.name]?.bmc;
    const planned = installation(inventory, config, host.name, profileFor(config.profiles, host.hypervisor) ?? "", {
      role: hypervisorOf(host.hypervisor).role,
      why: `cluster ${host.cluster} of pod ${host.pod} in zone ${host.zone} runs ${host.hypervisor}`,
    });
    return bmc && planned ? [{ ...planned, bmc: { ...bmc, pacingSeconds: limits.bmcPacingSeconds } }] : [];
  });
  const managementServer = planManagementServer(inventory, marvin, config);
  const installed: PlannedInstallation[] = managementServer ? [...machines, managementServer] : machines;
  const profiles = Object.entries(inventory.profiles).filter(([name]) => installed.some((machine) => machine.profile === name));
  const used = (pick: (profile: Inventory["profiles"][string]) => string) => new Set(profiles.map(([, profile]) => pick(profile)));
  const [distros, templates] = [used((profile) => profile.distro), used((profile) => profile.template)];
  return {
    site: inventory.site,
    stack: config.stack,
    generation: config.generation,
    embedded: inventory.embedded,
    driver: inventory.driver,
    driverFqdn: driverFqdn(inventory),
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
    ...(managementServer ? { managementServer } : {}),
    stores: planStores(inventory, marvin, config),
    cloud: planSiteCloud(inventory, marvin),
    cloudLicence: config.cloud,
    cloudstack: config.cloudstack,
    logLevel: config.logLevel ?? "info",
    dnsEntries: Object.entries(inventory.machines).map(([name, machine]) => ({
      name,
      fqdn: fqdnOf(inventory, name, machine.network),
      mac: machine.mac,
      address: machine.address,
      installable: machine.state === "active" && machine.roles.some((role) => role !== "service"),
    })),
    limits,
  };
}

/** The driver's full name, in the domain of the network that its address is in. */
export function driverFqdn(inventory: Inventory): string {
  return fqdnOf(inventory, inventory.driver.name, networkOf(inventory, inventory.driver.address));
}

function networkOf(inventory: Inventory, address: string): string {
  return Object.entries(inventory.networks).find(([, network]) => contains(networkBounds(network.cidr), address))?.[0] ?? "";
}

/** The inventory's limits, and what the stack sets otherwise. */
function stackLimits(inventory: Inventory, { limits }: StackConfiguration): Inventory["limits"] {
  return {
    simultaneousInstalls: limits.simultaneousInstalls ?? inventory.limits.simultaneousInstalls,
    bmcPacingSeconds: limits.bmcPacingSeconds ?? inventory.limits.bmcPacingSeconds,
    installSeconds: limits.installSeconds ?? inventory.limits.installSeconds,
    runSeconds: limits.runSeconds ?? inventory.limits.runSeconds,
    startSeconds: limits.startSeconds ?? inventory.limits.startSeconds,
  };
}
