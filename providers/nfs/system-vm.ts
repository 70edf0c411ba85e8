/** How a hypervisor's system-VM template is kept: extension of the image, and the id of its row in a new database. */
const hypervisors = {
  xenserver: { format: "vhd", id: 1 },
  kvm: { format: "qcow2", id: 3 },
  vmware: { format: "ova", id: 8 },
  hyperv: { format: "vhd", id: 9 },
} as const;

export type ImageFormat = "qcow2" | "vhd" | "ova" | "raw";

/** The first release whose packages bring the templates along. */
const SELF_SEEDING = [4, 16] as const;

export type Seeding = { seed: true; format: ImageFormat; id: number } | { seed: false; reason: string };

/**
 * Whether secondary storage must be seeded with a system-VM template by us, and as what.
 * @param release of CloudStack, e.g. `4.15.2.0`
 * @param hypervisor as a marvin configuration names it, e.g. `XenServer`
 * @param fromPackages whether the management server is installed from packages, which hold the templates; a build from sources does not
 */
export function systemVmSeeding(release: string, hypervisor: string, fromPackages: boolean): Seeding {
  const known = hypervisors[hypervisor.toLowerCase() as keyof typeof hypervisors];
  if (!known) return { seed: false, reason: `${hypervisor} has no system-VM template` };
  const [major = 0, minor = 0] = release.split(".").map(Number);
  const selfSeeding = major > SELF_SEEDING[0] || (major === SELF_SEEDING[0] && minor >= SELF_SEEDING[1]);
  if (selfSeeding && fromPackages) return { seed: false, reason: `release ${release} seeds its stores from its own packages` };
  return { seed: true, ...known };
}

/** How the file at an address is packed, by its name. */
export function compressionOf(url: string): "bzip2" | "gzip" | "none" {
  const path = new URL(url).pathname;
  if (path.endsWith(".bz2")) return "bzip2";
  return path.endsWith(".gz") || path.endsWith(".tgz") ? "gzip" : "none";
}

/** A file name of the form that CloudStack's own script makes, from the checksum: the same template always has the same name. */
export function imageName(checksum: string, format: ImageFormat): string {
  const digits = checksum.slice(checksum.indexOf(":") + 1);
  const groups = [8, 12, 16, 20, 32].map((end, index, ends) => digits.slice(ends[index - 1] ?? 0, end));
  return `${groups.join("-")}.${format}`;
}
