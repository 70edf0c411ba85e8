import { z } from "zod";

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "must be a host name by RFC 1123");
const mac = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be a MAC address: six lower-case hexadecimal bytes with colons");
const ipv4 = z.ipv4("must be an IPv4 address");
const texts = z.record(z.string(), z.string()).default({});

const machine = z.strictObject({
  mac,
  address: ipv4,
  network: z.string(),
  bmc: z
    .strictObject({
      address: ipv4,
      port: z.number().int().min(1).max(65535).default(623),
      credential: z.string().default("bmc"),
      cipherSuite: z.number().int().min(1).max(17).default(17),
      // Where many sites keep their BMCs: in a network that only the driver is in.
      via: z.enum(["here", "driver"]).default("here"),
    })
    .optional(),
  firmware: z.enum(["bios", "uefi"]).default("bios"),
  roles: z.array(z.enum(["hypervisor", "management-server", "service"])).default(["hypervisor"]),
  state: z.enum(["active", "quarantined", "spare"]).default("active"),
});

/** `environments/<site>/inventory.yaml`: the one place for every MAC, address and name of a site. */
export const inventorySchema = z.strictObject({
  site: name,
  embedded: z.boolean().default(false),
  unreachable: z.string().optional(),
  networks: z.record(
    z.string(),
    z.strictObject({
      cidr: z.cidrv4("must be a network like 10.0.0.0/24"),
      gateway: ipv4.optional(),
      domain: z.string().optional(),
      dynamic: z.array(z.strictObject({ from: ipv4, to: ipv4 })).default([]),
    }),
  ),
  driver: z.strictObject({
    name,
    address: ipv4,
    ssh: z.strictObject({ user: z.string().default("root"), hostKey: z.string(), credential: z.string().default("driver") }),
    cobbler: z.strictObject({
      url: z.url(),
      credential: z.string().default("cobbler"),
      // The web server's access log, where the account on the driver may read it: it shows who fetched an answer file.
      accessLog: z.string().startsWith("/").optional(),
    }),
    dnsmasq: z.strictObject({
      hostsDirectory: z.string(),
      dhcpHostsDirectory: z.string(),
      pidFile: z.string(),
      leaseFile: z.string().startsWith("/").optional(),
      log: z.string(),
    }),
    dhcp: z.enum(["dnsmasq", "cobbler"]).default("dnsmasq"),
    dns: z.enum(["dnsmasq", "cobbler"]).default("dnsmasq"),
    ntp: ipv4.optional(),
  }),
  templates: z.record(z.string(), z.strictObject({ file: z.string(), kind: z.enum(["shell", "kickstart", "preseed"]) })),
  distros: z.record(
    z.string(),
    z.strictObject({
      breed: z.string(),
      osVersion: z.string(),
      arch: z.enum(["x86_64", "i386", "aarch64", "ppc64le"]).default("x86_64"),
      kernel: z.string().startsWith("/"),
      initrd: z.string().startsWith("/"),
      bootLoaders: z.array(z.enum(["grub", "pxe", "ipxe"])).default(["grub", "pxe", "ipxe"]),
      kernelOptions: texts,
    }),
  ),
  profiles: z.record(
    z.string(),
    z.strictObject({
      distro: z.string(),
      template: z.string(),
      kernelOptions: texts,
      variables: texts,
      os: z.strictObject({ id: z.string(), version: z.string() }),
    }),
  ),
  machines: z.record(name, machine),
  limits: z
    .strictObject({
      simultaneousInstalls: z.number().int().positive().default(8),
      bmcPacingSeconds: z.number().nonnegative().default(5),
      installSeconds: z.number().positive().default(1800),
    })
    .default({ simultaneousInstalls: 8, bmcPacingSeconds: 5, installSeconds: 1800 }),
});

export type Inventory = z.infer<typeof inventorySchema>;
export type InventoryMachine = Inventory["machines"][string];
