import type { StoreInputs } from "../../providers/nfs/index.ts";
import { ours, testContext } from "./context.ts";
import { onDriver } from "./driver-shell.ts";
import { driver } from "./light-host.ts";

/** The lab's driver is its NFS server, too. */
export { onDriver as onServer };
export const nfsServer = driver;
export const nfsRoot = "/srv/nfs";
export const nfsContext = (mark = ours) => testContext(mark);

let made = 0;

/** A directory for one row, that does not exist yet. */
export const freshPath = () => `${nfsRoot}/row-${process.pid}-${++made}`;

/** The inputs of a store at such a directory. */
export function storeAt(path: string, more: Partial<StoreInputs> = {}): Partial<StoreInputs> {
  return { server: nfsServer, roots: [nfsRoot], path, kind: "primary", generation: "1", ...more };
}

/** Everything below the root, and what the server remembers of its stores, is forgotten. */
export async function forgetStores(): Promise<void> {
  const script = `
    find "$1" -xdev -type f -exec chattr -i {} + 2>/dev/null
    find "$1" -xdev -mindepth 1 -delete
    rm -rf /srv/elsewhere /var/lib/cloudstack-testbed/stores`;
  await onDriver(script, nfsRoot);
}
