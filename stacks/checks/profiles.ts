import { configPath, profileFor, type StackConfiguration } from "../config.ts";
import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { clusters, type Marvin, marvinHosts } from "../marvin.ts";
import { didYouMean, type Found, lookup } from "../schema.ts";
import type { Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

export interface StackSources {
  inventory: Source;
  config: Source;
}

/** Whether every cluster's hypervisor has a profile that the inventory defines and its machines can boot. */
export function checkProfiles(
  inventory: Found<Inventory>,
  marvin: Found<Marvin>,
  config: Found<StackConfiguration>,
  sources: StackSources,
): Finding[] {
  const { findings, add } = collector();
  if (!config.profiles) return findings;
  for (const host of marvinHosts(marvin)) {
    const profileName = profileFor(config.profiles, host.hypervisor);
    if (profileName === undefined) {
      add(sources.config, "TB122", configPath("profiles"), {
        what: `cluster ${host.cluster} needs ${host.hypervisor}, for which no profile is named`,
        why: "it is unknown what its hosts get installed",
        remedy: `add \`${host.hypervisor}: <profile>\``,
      });
      continue;
    }
    const profile = lookup(inventory.profiles ?? {}, profileName);
    const distro = profile?.distro === undefined ? undefined : lookup(inventory.distros ?? {}, profile.distro);
    // pxelinux is a BIOS program; GRUB and iPXE exist for both.
    const loaders = distro?.bootLoaders?.filter((loader) => loader !== "pxe");
    if (lookup(inventory.machines ?? {}, host.name)?.firmware === "uefi" && loaders?.length === 0)
      add(sources.inventory, "TB140", ["machines", host.name, "firmware"], {
        what: `${host.name} has UEFI, and the distro ${profile?.distro} of its profile ${profileName} only the boot loader pxe`,
        why: "the machine would find nothing to boot",
        remedy: "add grub or ipxe to the distro's `bootLoaders`",
      });
  }
  for (const [hypervisor, profile] of Object.entries(config.profiles)) {
    if (!inventory.profiles || lookup(inventory.profiles, profile)) continue;
    add(sources.config, "TB112", [...configPath("profiles"), hypervisor], {
      what: `the profile ${profile} is not defined${didYouMean(profile, Object.keys(inventory.profiles))}`,
      why: "it is unknown what to install",
      remedy: `name one of \`profiles\` in ${sources.inventory.file}`,
    });
  }
  return [...findings, ...checkHypervisor(marvin, config, sources.config)];
}

/** Whether the hypervisor that the stack says it is for runs in some cluster. */
function checkHypervisor(marvin: Found<Marvin>, config: Found<StackConfiguration>, source: Source): Finding[] {
  const { findings, add } = collector();
  const all = [...new Set(clusters(marvin).flatMap(({ cluster }) => cluster.hypervisor ?? []))];
  const { hypervisor } = config;
  if (hypervisor && all.length > 0 && !all.some((one) => one.toLowerCase() === hypervisor.toLowerCase()))
    add(source, "TB122", configPath("hypervisor"), {
      what: `the stack is for ${hypervisor}, and the clusters of ${config.marvin} run ${all.join(", ")}`,
      why: "the tests would be told the wrong hypervisor",
      remedy: "correct the hypervisor, or name another marvin file",
    });
  return findings;
}

/** Whether the machines and the profile that the stack file names are in the inventory. */
export function checkNames(inventory: Found<Inventory>, config: Found<StackConfiguration>, sources: StackSources): Finding[] {
  const { findings, add } = collector();
  const { machines, profiles } = inventory;
  for (const name of machines ? Object.keys(config.generations ?? {}) : []) {
    if (machines && !lookup(machines, name))
      add(sources.config, "TB112", [...configPath("generations"), name], {
        what: `there is no machine ${name}${didYouMean(name, Object.keys(machines))}`,
        why: "nothing would be re-imaged",
        remedy: "correct the name",
      });
  }
  const profile = config.managementServer?.profile;
  if (profile !== undefined && profiles && !lookup(profiles, profile))
    add(sources.config, "TB112", [...configPath("managementServer"), "profile"], {
      what: `the profile ${profile} of the management server is not defined${didYouMean(profile, Object.keys(profiles))}`,
      why: "it is unknown what to install",
      remedy: `name one of \`profiles\` in ${sources.inventory.file}`,
    });
  return findings;
}
