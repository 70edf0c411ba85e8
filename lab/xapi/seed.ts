import type { Database } from "./database.ts";

const GIB = 2 ** 30;

export interface PoolMember {
  name: string;
  address: string;
}

/** A pool as it is after its set-up: its hosts, one local storage repository, one network, the templates that every server has. */
export function seedPool(database: Database, members: readonly PoolMember[]): void {
  const hosts = members.map(({ name, address }) =>
    database.create("host", {
      name_label: name,
      hostname: name,
      address,
      software_version: { product_brand: "XCP-ng", product_version: "8.3.0", platform_version: "3.4.0" },
      capabilities: ["hvm-3.0-x86_32", "hvm-3.0-x86_64"],
    }),
  );
  const storage = database.create("SR", { name_label: "Local storage", type: "ext", content_type: "user", physical_size: 200 * GIB });
  database.create("SR", { name_label: "Second storage", type: "nfs", content_type: "user", shared: true, physical_size: 400 * GIB });
  database.create("pool", { name_label: "lab", master: hosts[0]?.ref, default_SR: storage.ref });
  database.create("network", { name_label: "Pool-wide network associated with eth0", bridge: "xenbr0" });
  database.create("network", { name_label: "Pool-wide network associated with eth1", bridge: "xenbr1" });
  database.create("VM", otherInstallMedia());
  database.create("VM", {
    name_label: `Control domain on host: ${members[0]?.name}`,
    is_control_domain: true,
    power_state: "Running",
    domid: 0,
  });
}

/** As the server itself makes it (xapi facts §12). */
function otherInstallMedia() {
  return {
    name_label: "Other install media",
    name_description: "Template which allows VM installation from install media",
    is_a_template: true,
    is_default_template: true,
    memory_static_min: GIB / 8,
    memory_static_max: 4 * GIB,
    memory_dynamic_min: 4 * GIB,
    memory_dynamic_max: 4 * GIB,
    HVM_boot_policy: "BIOS order",
    HVM_boot_params: { order: "cdn" },
    platform: { acpi: "1", apic: "true", nx: "true", pae: "true", hpet: "true", viridian: "false", vga: "std", videoram: "8" },
    other_config: { "install-methods": "cdrom", default_template: "true", mac_seed: "a4a5ec5e-6c4d-4a1b-a7a6-5ae9b3a1d8f9" },
    domain_type: "hvm",
  };
}
