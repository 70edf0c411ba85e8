import { createHash } from "node:crypto";
import { chmodSync, constants, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { Netboot } from "../settings.ts";
import type { Site } from "../site.ts";
import { cobblerDnsmasqTemplate } from "./dnsmasq.ts";

/** Where the Python package keeps its files (tools/setup/lab.sh unpacks it there). */
export const cobblerPackage = "/usr/lib/cloudstack-testbed/cobbler";

const collections = ["distros", "profiles", "systems", "images", "repos", "menus", "mgmtclasses", "packages", "files"];

/** The settings that differ from the shipped ones. */
export function cobblerSettings(shipped: string, site: Site): string {
  const { address } = site.driver;
  const owner = site.driver.dhcp === "cobbler";
  const changed = {
    server: address,
    next_server_v4: address,
    http_port: 80,
    manage_dhcp: owner,
    manage_dhcp_v4: owner,
    manage_dns: site.driver.dns === "cobbler",
    restart_dhcp: owner,
    restart_dns: site.driver.dns === "cobbler",
    tftpboot_location: "/srv/tftpboot",
    webdir: "/var/www/cobbler",
    pxe_just_once: true,
    nopxe_with_triggers: true,
    // The cache answers with stale and damaged objects (cobbler facts §10).
    cache_enabled: false,
    enable_menu: false,
    default_name_servers: [address],
    default_name_servers_search: [site.domain],
    default_virt_type: "kvm",
    syslinux_dir: "/usr/lib/syslinux/modules/bios",
    syslinux_memdisk_folder: "/usr/lib/syslinux",
    syslinux_pxelinux_folder: "/usr/lib/PXELINUX",
    grub2_mod_dir: "/usr/lib/grub",
    // A folder that exists without undionly.kpxe makes mkloaders fault; a missing one is skipped.
    bootloaders_ipxe_folder: "/nonexistent",
  };
  // Changed in the document, not in parsed data: cobbler's schema tells 5.0 from 5, which JavaScript cannot.
  const document = parseDocument(shipped, { version: "1.1" });
  for (const [key, value] of Object.entries(changed)) document.set(key, value);
  return document.toString();
}

/** Puts cobbler's files in place; its objects and templates of an earlier run stay. */
export function installCobbler(site: Site, folders: { checkout: string; guest: string }, netboot: Netboot): void {
  cpSync(`${cobblerPackage}/etc/cobbler`, "/etc/cobbler", { recursive: true });
  if (!existsSync("/var/lib/cobbler/distro_signatures.json"))
    cpSync(`${cobblerPackage}/var/lib/cobbler`, "/var/lib/cobbler", { recursive: true });
  if (!existsSync("/var/www/cobbler/svc")) cpSync(`${cobblerPackage}/var/www/cobbler`, "/var/www/cobbler", { recursive: true });
  for (const folder of [
    "/var/log/cobbler/tasks",
    "/var/lib/cobbler/loaders",
    ...collections.map((name) => `/var/lib/cobbler/collections/${name}`),
    "/srv/tftpboot",
    "/srv/lab/images",
    site.driver.dnsmasq.hostsDirectory,
    site.driver.dnsmasq.dhcpHostsDirectory,
  ]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync("/etc/cobbler/settings.yaml", cobblerSettings(readFileSync(`${cobblerPackage}/etc/cobbler/settings.yaml`, "utf8"), site));
  const modules = readFileSync("/etc/cobbler/modules.conf", "utf8")
    .replace("managers.isc", "managers.dnsmasq")
    .replace("managers.bind", "managers.dnsmasq");
  writeFileSync("/etc/cobbler/modules.conf", modules);
  writeFileSync("/etc/cobbler/dnsmasq.template", cobblerDnsmasqTemplate(site, netboot));
  writeFileSync("/var/lib/cobbler/cobbler_hosts", "", { flag: "a" });
  // Under UEFI, iPXE of 2019 (Debian 12's) hands the initrd over only by its name on the kernel's command line.
  const ipxe = "/etc/cobbler/boot_loader_conf/ipxe.template";
  writeFileSync(ipxe, readFileSync(ipxe, "utf8").replace("kernel $kernel_path ", "kernel $kernel_path initrd=initrd.img "));
  installHelpers(folders.checkout);
  installLoaders();
  // The lab's password is public by design; it opens nothing outside these namespaces.
  writeFileSync("/etc/cobbler/users.digest", `cobbler:Cobbler:${createHash("sha3-512").update("lab-cobbler").digest("hex")}\n`);
  for (const system of ["os", "hv"]) {
    mkdirSync(`/srv/lab/distro/${system}`, { recursive: true });
    for (const file of ["vmlinuz", "initrd.img"]) {
      const target = `/srv/lab/distro/${system}/${file}`;
      copyFileSync(join(folders.guest, file), target);
      chmodSync(target, 0o644);
    }
    // A copy, not a link: the web service serves only what lies below its folder. FICLONE: no second copy where the file system can.
    for (const suffix of ["img", "tar"])
      copyFileSync(join(folders.guest, `${system}.${suffix}`), `/srv/lab/images/${system}.${suffix}`, constants.COPYFILE_FICLONE);
  }
}

/** cobblerd restarts dnsmasq through `systemctl` or `service`, whichever it finds the machine to have. */
function installHelpers(checkout: string): void {
  mkdirSync("/run/testbed-bin", { recursive: true });
  for (const name of ["systemctl", "service"]) symlinkSync(join(checkout, "lab/driver/systemctl.sh"), `/run/testbed-bin/${name}`);
}

/** What `cobbler mkloaders` would link for pxelinux; a sync carries it to the TFTP folder. */
function installLoaders(): void {
  copyFileSync("/usr/lib/PXELINUX/pxelinux.0", "/var/lib/cobbler/loaders/pxelinux.0");
  for (const file of ["ldlinux.c32", "menu.c32", "libutil.c32"])
    copyFileSync(`/usr/lib/syslinux/modules/bios/${file}`, `/var/lib/cobbler/loaders/${file}`);
}
