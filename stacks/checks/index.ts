import type { StackConfiguration } from "../config.ts";
import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { type Marvin, marvinHosts } from "../marvin.ts";
import type { Found } from "../schema.ts";
import type { Source } from "../sources/index.ts";
import { checkCapacity } from "./capacity.ts";
import { collector } from "./collect.ts";
import { checkGivenOut, checkHosts, type SiteSources } from "./hosts.ts";
import { checkPlaces, checkUnique } from "./machines.ts";
import { checkManagementServer } from "./management.ts";
import { checkNetworks } from "./networks.ts";
import { checkObjectNames } from "./objects.ts";
import { checkNames, checkProfiles } from "./profiles.ts";
import { checkRanges } from "./ranges.ts";
import { checkReferences, checkServices } from "./references.ts";
import { checkClearText, checkSecrets } from "./secrets.ts";
import { checkStoreRoots, checkStoresApart } from "./stores.ts";
import { checkUnread } from "./unread.ts";
import { checkVlans } from "./vlans.ts";
import { checkZones } from "./zones.ts";

export { checkCloudSecrets, checkServerCredential } from "./cloud-secrets.ts";
export { checkClearText, checkPlaceholders } from "./secrets.ts";

/** Whether the inventory agrees with itself and with the folder that it is in. */
export function checkInventory(inventory: Found<Inventory>, source: Source, folder: string): Finding[] {
  return [
    ...checkSiteName(inventory, source, folder),
    ...checkNetworks(inventory, source),
    ...checkUnique(inventory, source),
    ...checkPlaces(inventory, source),
    ...checkReferences(inventory, source),
    ...checkServices(inventory, source),
  ];
}

/**
 * Whether the marvin configuration agrees with itself, and is one that the server takes.
 * @param whole the configuration when nothing of it has the wrong form
 */
export function checkMarvin(marvin: Found<Marvin>, source: Source, whole: Marvin | undefined): Finding[] {
  return [
    ...checkObjectNames(marvin, source),
    ...checkRanges(marvin, source),
    ...checkVlans(marvin, source),
    ...checkCapacity(marvin, source),
    ...checkZones(marvin, source),
    ...checkUnread(source, whole),
    ...checkClearText(source, "marvin"),
  ];
}

/** Whether marvin configuration and inventory agree: hosts, management server, addresses, stores. */
export function checkSite(inventory: Found<Inventory>, marvin: Found<Marvin>, sources: SiteSources): Finding[] {
  return [
    ...checkHosts(inventory, marvin, sources),
    ...checkManagementServer(inventory, marvin, sources),
    ...checkGivenOut(inventory, marvin, sources),
    ...checkStoreRoots(inventory, marvin, sources),
    ...checkStoresApart(inventory, marvin, sources.marvin),
  ];
}

/** Whether the stack file agrees with inventory and marvin configuration. */
export function checkStack(
  inventory: Found<Inventory>,
  marvin: Found<Marvin> | undefined,
  config: Found<StackConfiguration>,
  sources: { inventory: Source; config: Source },
): Finding[] {
  return [
    ...checkNames(inventory, config, sources),
    ...checkSecrets(inventory, config, sources.config),
    ...(marvin ? checkProfiles(inventory, marvin, config, sources) : []),
  ];
}

/** Whether the marvin configuration of a site where nothing is installed can be deployed. */
export function checkExternal(marvin: Found<Marvin>, source: Source): Finding[] {
  return checkStoresApart(undefined, marvin, source);
}

function checkSiteName(inventory: Found<Inventory>, source: Source, folder: string): Finding[] {
  const { findings, add } = collector();
  if (inventory.site !== undefined && inventory.site !== folder)
    add(source, "TB112", ["site"], {
      what: `the inventory is that of ${inventory.site}, and its folder is called ${folder}`,
      why: "answer files are looked for in the folder of the site's name",
      remedy: "make the two the same",
    });
  return findings;
}

/** Whether some marvin configuration of the site uses each active hypervisor of the inventory. */
export function checkUnused(inventory: Found<Inventory>, all: readonly Found<Marvin>[], source: Source): Finding[] {
  const { findings, add } = collector();
  const used = new Set(all.flatMap((marvin) => marvinHosts(marvin).map((host) => host.name)));
  for (const [name, machine] of Object.entries(inventory.machines ?? {})) {
    if (used.has(name) || machine.state !== "active" || !machine.roles?.includes("hypervisor")) continue;
    add(source, "TB129", ["machines", name], {
      severity: "warning",
      what: `no marvin configuration of the site uses ${name}, an active hypervisor`,
      why: "it is either forgotten, or known under another name",
      remedy: "use it, or make it a spare; a machine with another task has other `roles`",
    });
  }
  return findings;
}
