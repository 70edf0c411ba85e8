import { type StoreInputs, store } from "../../providers/nfs/index.ts";
import { apply, drop, ours, testContext } from "./context.ts";
import { onDriver } from "./driver-shell.ts";
import { driver } from "./light-host.ts";

/** The lab's driver is its NFS server, too. */
export { onDriver as onServer };
export const nfsServer = driver;
export const nfsRoot = "/srv/nfs";

let made = 0;

/** A directory for one row, that does not exist yet. */
export const freshPath = () => `${nfsRoot}/row-${process.pid}-${String(++made).padStart(3, "0")}`;

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

export const storeMarker = ".cloudstack-testbed-store";

/** What the rows do with a store. */
export const converge = (path: string, more: Partial<StoreInputs> = {}, mark = ours) =>
  apply(store, storeAt(path, more), testContext(mark));
export const remove = (path: string, more: Partial<StoreInputs> = {}, mark = ours) => drop(store, storeAt(path, more), testContext(mark));
/** What a refresh sees of it. */
export const seen = async (path: string) =>
  (await store.observe(testContext(), store.inputs.parse(storeAt(path)) as unknown as StoreInputs, undefined))?.inputs;
/** Everything in it, however deep. */
export const list = async (path: string) => (await onDriver('cd "$1" && find . -mindepth 1 | sort', path)).split("\n").filter(Boolean);
