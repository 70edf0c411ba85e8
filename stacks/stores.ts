import { isSimulated, isSimulator, type Marvin } from "./marvin.ts";
import { type Found, lookup } from "./schema.ts";
import type { Path } from "./sources/index.ts";

/** A store of a marvin file. */
export interface MarvinStore {
  kind: "primary" | "secondary" | "cache";
  /** For messages: kind and address. */
  what: string;
  url: string;
  path: Path;
  /** Absent where the address is not of the form nfs://host/path. */
  host?: string;
  directory?: string;
}

/** Every NFS store of a zone with machines. Other protocols are the tests' own affair. */
export function nfsStores(marvin: Found<Marvin>): MarvinStore[] {
  return (marvin.zones ?? []).flatMap((zone, z) => {
    if (isSimulated(zone)) return [];
    const stores: MarvinStore[] = [];
    const add = (kind: MarvinStore["kind"], list: readonly { url?: unknown; provider?: unknown }[] | undefined, path: Path) =>
      list?.forEach(({ url, provider }, index) => {
        if (typeof url !== "string" || (typeof provider === "string" && provider.toUpperCase() !== "NFS")) return;
        if (/^\w+:\/\//.test(url) && !url.startsWith("nfs:")) return;
        stores.push({ kind, what: `the ${kind} store ${url}`, url, path: [...path, index, "url"], ...takeApart(url) });
      });
    add("secondary", zone.secondaryStorages, ["zones", z, "secondaryStorages"]);
    add("cache", zone.cacheStorages, ["zones", z, "cacheStorages"]);
    add("primary", zone.primaryStorages, ["zones", z, "primaryStorages"]);
    zone.pods?.forEach((pod, p) => {
      pod.clusters?.forEach((cluster, c) => {
        if (!isSimulator(cluster.hypervisor))
          add("primary", cluster.primaryStorages, ["zones", z, "pods", p, "clusters", c, "primaryStorages"]);
      });
    });
    return stores;
  });
}

/** `nfs://host:/a/b`: marvin's files also write an empty port. */
export function takeApart(url: string): { host?: string; directory?: string } {
  const [, host, path] = /^nfs:\/\/([^/:]+)(?::\d*)?(\/.*)$/.exec(url) ?? [];
  if (host === undefined || path === undefined) return {};
  return { host, directory: path.replace(/\/+/g, "/").replace(/(.)\/$/, "$1") };
}

/** The server that a store's address names, by its name or its address. */
export function serverOf<S extends { address?: string | undefined }>(servers: Record<string, S>, host: string): S | undefined {
  return lookup(servers, host) ?? Object.values(servers).find((server) => server.address === host);
}
