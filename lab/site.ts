import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const siteSchema = z.object({
  site: z.string(),
  embedded: z.literal(true, "is not an embedded site: `testbed lab` serves only those"),
  networks: z.record(z.string(), z.object({ cidr: z.string(), gateway: z.string().optional(), domain: z.string().optional() })),
  driver: z.object({
    name: z.string(),
    address: z.string(),
    dhcp: z.enum(["dnsmasq", "cobbler"]),
    dns: z.enum(["dnsmasq", "cobbler"]),
    dnsmasq: z.object({ hostsDirectory: z.string(), dhcpHostsDirectory: z.string(), pidFile: z.string(), log: z.string() }),
    puppet: z.object({ modulesDirectory: z.string() }).optional(),
  }),
  nfsServers: z.record(z.string(), z.object({ address: z.string().optional(), roots: z.array(z.string()) })).default({}),
  xenServers: z.record(z.string(), z.object({ address: z.ipv4() })).default({}),
  machines: z.record(
    z.string(),
    z.object({
      mac: z.string(),
      address: z.string(),
      network: z.string(),
      firmware: z.enum(["bios", "uefi"]).default("bios"),
      bmc: z.object({ address: z.string(), port: z.number().default(623) }).optional(),
    }),
  ),
});

export interface SiteMachine {
  name: string;
  mac: string;
  address: string;
  firmware: "bios" | "uefi";
  bmc: { address: string; port: number };
}

/** What the lab needs to know of the site it serves. */
export interface Site {
  name: string;
  domain: string;
  /** Network of driver and machines. */
  cidr: string;
  driver: z.infer<typeof siteSchema>["driver"] & {
    /** Directories below which its NFS server has stores. */
    nfsRoots: string[];
  };
  /** The hosts of the XenServer pool; the first one coordinates it. */
  xenServers: { name: string; address: string }[];
  /** Names of the machines that are VMs. */
  virtualMachines: string[];
  /** Machines with a BMC: the ones the lab has to play. */
  machines: SiteMachine[];
}

/**
 * Reads the inventory of an embedded site: a name below environments/, or the path of a folder. `hosts` limits it to its first
 * machines. The lab has a reader of its own, so that it does not share the product's mistakes.
 */
export function readSite(checkout: string, name: string, hosts?: number): Site {
  const file = resolve(checkout, "environments", name, "inventory.yaml");
  const parsed = siteSchema.safeParse(parse(readFileSync(file, "utf8")));
  if (!parsed.success) throw new Error(`${file} cannot be served by the lab: ${z.prettifyError(parsed.error)}`);
  const { networks, driver, machines, nfsServers, xenServers } = parsed.data;
  const nfsRoots = Object.values(nfsServers).flatMap((server) => (server.address === driver.address ? server.roots : []));
  const all = Object.entries(machines);
  const network = networks[all[0]?.[1].network ?? ""];
  if (!network?.domain) throw new Error(`${file}: the lab needs machines in a network that has a domain`);
  const served = all.flatMap(([name, machine]) =>
    machine.bmc ? [{ name, mac: machine.mac, address: machine.address, firmware: machine.firmware, bmc: machine.bmc }] : [],
  );
  if (hosts !== undefined && hosts > served.length)
    throw new Error(`${file} has ${served.length} machines with a BMC; the lab cannot play ${hosts}`);
  return {
    name: parsed.data.site,
    domain: network.domain,
    cidr: network.cidr,
    driver: { ...driver, nfsRoots },
    xenServers: Object.entries(xenServers).map(([name, { address }]) => ({ name, address })),
    virtualMachines: all.filter(([, machine]) => !machine.bmc).map(([name]) => name),
    machines: served.slice(0, hosts),
  };
}
