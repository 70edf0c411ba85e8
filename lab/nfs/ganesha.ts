import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { answersTcp, type Daemon } from "../daemons.ts";
import type { Site } from "../site.ts";

/** Where the disk of a root really lies: on a real site it is a device. */
export const diskOf = (root: string): string => join(dirname(root), `.${basename(root)}-disk`);

/** Mounts the disk of a root where /etc/fstab says that it belongs. */
export function mountRoot(root: string): void {
  execFileSync("mount", [root]);
  // Not shared with /srv, of which it is a part here: what is mounted below a root would appear below its disk, too.
  execFileSync("mount", ["--make-private", root]);
}

/** The driver's NFS server: each allowed root is a file system of its own, and exported under its own name. */
export function nfsDaemons(site: Site, log: string): Daemon[] {
  const { address, nfsRoots } = site.driver;
  if (nfsRoots.length === 0) return [];
  for (const root of nfsRoots) {
    for (const folder of [diskOf(root), root]) mkdirSync(folder, { recursive: true });
    if (!readFileSync("/etc/fstab", { encoding: "utf8", flag: "a+" }).includes(` ${root} `))
      appendFileSync("/etc/fstab", `${diskOf(root)} ${root} none bind 0 0\n`);
    mountRoot(root);
  }
  mkdirSync("/run/ganesha", { recursive: true });
  writeFileSync("/run/ganesha/ganesha.conf", configuration(address, nfsRoots));
  const command = ["ganesha.nfsd", "-F", "-f", "/run/ganesha/ganesha.conf", "-p", "/run/ganesha/pid", "-L", join(log, "ganesha.log")];
  return [{ name: "nfs", command, ready: answersTcp(address, 2049) }];
}

/**
 * Version 4 over TCP only: version 3 needs a portmapper. Without a grace period clients come in at once, and without numeric owners
 * everything seems to belong to nobody (dnsmasq-nfs-puppet facts B3).
 */
function configuration(address: string, roots: readonly string[]): string {
  const exports = roots.map(
    (root, index) => `EXPORT {
  Export_Id = ${index + 1}; Path = ${root}; Pseudo = ${root}; Access_Type = RW; Squash = No_Root_Squash;
  SecType = sys; Protocols = 4; Transports = TCP; FSAL { Name = VFS; }
}`,
  );
  return `NFS_CORE_PARAM { Protocols = 4; NFS_Port = 2049; Bind_addr = ${address}; Enable_NLM = false; Enable_RQUOTA = false; }
NFSv4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = /run/ganesha; Only_Numeric_Owners = true; }
${exports.join("\n")}
`;
}
