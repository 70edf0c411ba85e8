import { markedCobbler } from "../providers/cobbler/index.ts";
import { markedEntries } from "../providers/dnsmasq/index.ts";
import type { MarkedSystem } from "../providers/kernel/marked.ts";
import { markedStores } from "../providers/nfs/index.ts";
import { markedCertificates, markedModules } from "../providers/puppet/index.ts";
import { markedClaims } from "../providers/site/index.ts";
import { connectionSchema, markedVms } from "../providers/xenserver/index.ts";
import type { Inventory } from "../stacks/inventory.ts";
import { driverFqdn } from "../stacks/plan.ts";
import { xenConnection } from "../stacks/plan-cloud.ts";

/**
 * Every system of a site where something may carry a mark, in the order of removal: machines before what they were installed from and what
 * they have mounted, the claims on all of it last.
 */
export function markedSystems(inventory: Inventory): MarkedSystem[] {
  const { driver } = inventory;
  const server = { address: driver.address, ...driver.ssh };
  const { url, credential, tlsFingerprint } = driver.cobbler;
  return [
    ...xenSystems(inventory),
    markedCobbler({ url, credential, ...(tlsFingerprint ? { tlsFingerprint } : {}) }),
    markedEntries(server, driver.dnsmasq),
    ...(driver.puppet ? [markedCertificates(server, driverFqdn(inventory)), markedModules(server, driver.puppet.modulesDirectory)] : []),
    ...nfsSystems(inventory),
    markedClaims(server),
  ];
}

function xenSystems(inventory: Inventory): MarkedSystem[] {
  return Object.entries(inventory.xenServers).map(([name, one]) => markedVms(connectionSchema.parse(xenConnection(inventory, name, one))));
}

/** An inventory may have one server under two names: it is asked once, about all its roots. */
function nfsSystems(inventory: Inventory): MarkedSystem[] {
  const byAddress = new Map<string, Inventory["nfsServers"][string]>();
  for (const [name, one] of Object.entries(inventory.nfsServers)) {
    const address = one.address ?? name;
    const known = byAddress.get(address);
    byAddress.set(address, { ...one, roots: [...new Set([...(known?.roots ?? []), ...one.roots])] });
  }
  return [...byAddress].map(([address, { ssh, roots }]) => markedStores({ address, ...ssh }, roots));
}
