import type { Netboot } from "../settings.ts";
import type { Site } from "../site.ts";

/** First address and netmask of a CIDR. */
export function netmask(cidr: string): { network: string; mask: string; length: number } {
  const [network, bits] = cidr.split("/") as [string, string];
  const length = Number(bits);
  const mask = [0, 1, 2, 3].map((byte) => 256 - 2 ** (8 - Math.min(8, Math.max(0, length - 8 * byte)))).join(".");
  return { network, mask, length };
}

/**
 * dnsmasq's configuration. Router advertisements spare iPXE 13 s of IPv6 solicitation, and option 175.176 (no proxy DHCP) another 3 s
 * (netboot-lab facts §4). QEMU's NIC ROM is iPXE and marks itself with option 175.
 */
export function dnsmasqConfiguration(site: Site, netboot: Netboot): string {
  return `${lines(site, netboot).join("\n")}\n`;
}

/** The template from which cobbler writes that configuration, with its systems, where it owns DHCP. Cheetah's `$` are escaped. */
export function cobblerDnsmasqTemplate(site: Site, netboot: Netboot): string {
  const escaped = lines(site, netboot).map((line) => line.replaceAll("$", "\\$"));
  return `${[...escaped, "addn-hosts=/var/lib/cobbler/cobbler_hosts", "$insert_cobbler_system_definitions"].join("\n")}\n`;
}

/**
 * TFTP in a process of its own: cobbler restarts the dnsmasq that it manages at every save of a system, which leaves pxelinux hanging
 * in the middle of a transfer (netboot-loop facts §6).
 */
export function tftpConfiguration(): string {
  const configuration = ["port=0", "interface=br0", "bind-interfaces", "except-interface=lo", "user=root"];
  return `${[...configuration, "enable-tftp", "tftp-root=/srv/tftpboot", "log-facility=/var/log/tftp.log"].join("\n")}\n`;
}

function lines(site: Site, netboot: Netboot): string[] {
  const { network, mask } = netmask(site.cidr);
  const { driver } = site;
  return [
    "interface=br0",
    "bind-interfaces",
    "except-interface=lo",
    "user=root",
    "no-resolv",
    "no-hosts",
    `domain=${site.domain}`,
    `local=/${site.domain}/`,
    `host-record=${driver.name}.${site.domain},${driver.name},${driver.address}`,
    `hostsdir=${driver.dnsmasq.hostsDirectory}`,
    `dhcp-hostsdir=${driver.dnsmasq.dhcpHostsDirectory}`,
    "dhcp-leasefile=/var/lib/misc/dnsmasq.leases",
    `log-facility=${driver.dnsmasq.log}`,
    "log-dhcp",
    "dhcp-authoritative",
    `dhcp-range=${network},static,${mask},1h`,
    `dhcp-option=option:router,${driver.address}`,
    `dhcp-option=option:ntp-server,${driver.address}`,
    "enable-ra",
    "dhcp-range=fd91::,ra-only,64,1h",
    "dhcp-option-force=encap:175,176,1b",
    ...(netboot === "ipxe"
      ? ["dhcp-match=set:ipxe,175", `dhcp-boot=tag:ipxe,http://${driver.address}/cblr/svc/op/ipxe/mac/$\{net0/mac}`]
      : ["dhcp-boot=pxelinux.0"]),
  ];
}
