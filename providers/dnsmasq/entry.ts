import type { Driver } from "../site/driver.ts";

export interface HostInputs {
  server: Driver;
  hostsDirectory: string;
  dhcpHostsDirectory: string;
  pidFile: string;
  leaseFile: string;
  log?: string | undefined;
  domain: string;
  name: string;
  mac: string;
  address: string;
  dhcp: boolean;
}

export const fqdnOf = (inputs: Pick<HostInputs, "name" | "domain">) => `${inputs.name}.${inputs.domain}`;

/** A line of `hostsdir`, in the format of /etc/hosts. */
export const hostsLine = (inputs: HostInputs) => `${inputs.address} ${fqdnOf(inputs)} ${inputs.name}`;

/** A line of `dhcp-hostsdir`: what stands right of `dhcp-host=`. */
export const dhcpLine = (inputs: HostInputs) => `${inputs.mac},${inputs.address},${inputs.name}`;

/** The inputs that two files of an entry stand for; undefined where neither has a line. */
export function parseEntry(inputs: HostInputs, hostsFile: string, dhcpFile: string): Partial<HostInputs> | undefined {
  const line = (text: string) => text.split("\n").find((one) => one !== "" && !one.startsWith("#")) ?? "";
  const [hosts, dhcp] = [line(hostsFile), line(dhcpFile)];
  if (!hosts && !dhcp) return undefined;
  const [hostsAddress, fqdn = ""] = hosts.split(/\s+/);
  const [mac, dhcpAddress] = dhcp.split(",");
  const address = hostsAddress || "none in DNS";
  return {
    // Where the two disagree the one that is wrong is shown.
    address: address === inputs.address && dhcp ? dhcpAddress || "none in DHCP" : address,
    domain: fqdn.startsWith(`${inputs.name}.`) ? fqdn.slice(inputs.name.length + 1) : `of another name: ${fqdn || "none"}`,
    mac: dhcp ? mac || "none" : inputs.mac,
    dhcp: dhcp !== "",
  };
}
