import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StoreInputs } from "../../providers/nfs/index.ts";
import { sshExec } from "../../providers/transport/ssh.ts";
import { ours, testContext } from "./context.ts";

const checkout = join(import.meta.dirname, "../..");
const privateKey = readFileSync(join(checkout, "lab/keys/id_ed25519"), "utf8");
const hostKey = readFileSync(join(checkout, "lab/keys/driver_host_ed25519.pub"), "utf8").trim();

/** The lab's NFS server, as the inventory has it. */
export const nfsServer = { address: "10.91.0.1", user: "root", hostKey, credential: "driver" };
export const nfsRoot = "/srv/nfs";
export const nfsCredentials = { driver: { privateKey } };

export const nfsContext = (mark = ours) => testContext(mark, nfsCredentials);

/** Runs a shell script on the NFS server, whose mounts are not all those of this process. */
export async function onServer(script: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sshExec({ ...nfsServer, privateKey }, ["sh", "-c", script, "sh", ...args]);
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return stdout;
}

let made = 0;

/** A directory for one row, that does not exist yet. */
export const freshPath = () => `${nfsRoot}/row-${process.pid}-${++made}`;

/** The inputs of a store at such a directory. */
export function storeAt(path: string, more: Partial<StoreInputs> = {}): Partial<StoreInputs> {
  return { server: nfsServer, roots: [nfsRoot], path, kind: "primary", generation: "1", ...more };
}

/** Everything below the root and the server's record of it is forgotten. */
export async function forgetStores(): Promise<void> {
  await onServer(
    `
    find "$1" -xdev -mindepth 1 -delete 2>/dev/null || { chattr -R -i "$1"/* 2>/dev/null; find "$1" -xdev -mindepth 1 -delete; }
    rm -rf /var/lib/cloudstack-testbed/stores`,
    nfsRoot,
  );
}
