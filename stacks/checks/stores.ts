import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import type { Marvin } from "../marvin.ts";
import { didYouMean, type Found } from "../schema.ts";
import type { Source } from "../sources/index.ts";
import { nfsStores, serverOf } from "../stores.ts";
import { collector } from "./collect.ts";
import type { SiteSources } from "./hosts.ts";

/** Whether every store lies on a server of the inventory, below one of its allowed roots. */
export function checkStoreRoots(inventory: Found<Inventory>, marvin: Found<Marvin>, sources: SiteSources): Finding[] {
  const { findings, add } = collector();
  const servers = inventory.nfsServers;
  if (!servers) return findings;
  const why = "a store is wiped for every generation: only what the inventory allows may be";
  for (const { what, host, directory, path } of nfsStores(marvin)) {
    if (host === undefined || directory === undefined) {
      add(sources.marvin, "TB127", path, { what: `${what} is no NFS address`, why, remedy: "write nfs://server/directory" });
      continue;
    }
    const server = serverOf(servers, host);
    if (!server) {
      const known = Object.keys(servers);
      add(sources.marvin, "TB127", path, {
        what: `${what} is on ${host}, which is no NFS server of the inventory${didYouMean(host, known)}`,
        why,
        remedy: `add it to nfsServers in ${sources.inventory.file}, or take a server that is there`,
      });
    } else if (server.roots && !server.roots.some((root) => isInside(directory, root)))
      add(sources.marvin, "TB127", path, {
        what: `${what} is not inside ${server.roots.join(" or ")}`,
        why,
        remedy: `move it, or add its root to ${sources.inventory.file}`,
      });
  }
  return findings;
}

function isInside(directory: string, root: string): boolean {
  return directory.startsWith(`${root}/`) && !/\/\.{1,2}(\/|$)/.test(directory);
}

/** Whether each store has a directory of its own; the same server under its name and its address is one server. */
export function checkStoresApart(inventory: Found<Inventory> | undefined, marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const seen: { what: string; place: string }[] = [];
  for (const { what, host, directory, path } of nfsStores(marvin)) {
    if (host === undefined || directory === undefined) continue;
    const server = serverOf(inventory?.nfsServers ?? {}, host);
    const place = `${server?.address ?? host}:${directory}`;
    const other = seen.find((one) => one.place === place || isInside(place, one.place) || isInside(one.place, place));
    if (other)
      add(source, "TB128", path, {
        what: `${what} ${other.place === place ? "is the same directory as" : "lies in, or around,"} ${other.what}`,
        why: "wiping one would wipe the other, and the server refuses the same one twice",
        remedy: "give each store a directory of its own",
      });
    seen.push({ what, place });
  }
  return findings;
}
