import { z } from "zod";
import { repoFields } from "../providers/cobbler/index.ts";

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "must be a host name by RFC 1123");
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, "must be a host name or an address");
/** Where a machine that is not installed by us is reached. */
const place = hostName.refine((text) => !/^[\d.]+$/.test(text) || z.ipv4().safeParse(text).success, "must be a host name or an address");
const mac = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be a MAC address: six lower-case hexadecimal bytes with colons");
const ipv4 = z.ipv4("must be an IPv4 address");
const cidr = z.cidrv4("must be a network like 10.0.0.0/24").refine((text) => {
  const length = Number(text.split("/")[1]);
  return length >= 8 && length <= 30;
}, "must be a network of /8 to /30");
const texts = z.record(z.string(), z.string()).default({});
/** A file or a directory of a server. */
const absolute = z.string().regex(/^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/, "must be an absolute path without `.`, `..` and a slash at its end");
const relative = z.string().regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0]+$/, "must be a path inside the site's folder");
const positive = z.number().int().positive();
const port = z.number().int().min(1).max(65535);

/** An account on a machine of the site that is not installed by us: its host key is pinned. */
const ssh = z.strictObject({
  user: z.string().min(1).default("root"),
  hostKey: z
    .string()
    .regex(
      /^((ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*|SHA256:[A-Za-z0-9+/]{43})$/,
      "must be a public host key (its type and its base64 text) or its fingerprint (`SHA256:…`)",
    ),
  credential: z.string().min(1).default("driver"),
});

/** Directories that no store may be, and that hold more than stores: a wipe below them would go too far. */
const NO_STORE_ROOT = /^\/(?:[^/]+|(?:usr|var|etc|root|boot|dev|proc|sys|run)\/.*)$/;

const machine = z.strictObject({
  mac,
  address: ipv4,
  network: z.string(),
  /** The management controller, spoken to by IPMI 2.0: from here, where `up` runs, or through the driver, where only that is in its network. */
  bmc: z
    .strictObject({
      address: ipv4,
      port: port.default(623),
      credential: z.string().min(1).default("bmc"),
      cipherSuite: z.number().int().min(1).max(17).default(17),
      via: z.enum(["here", "driver"]).default("here"),
    })
    .optional(),
  /** For a machine that is a VM of the site's XenServer. */
  virtualMachine: z
    .strictObject({
      on: z.string(),
      memoryMiB: positive.min(256),
      cpus: positive.default(1),
      diskGiB: positive,
      bridge: z.string().min(1).default("xenbr0"),
    })
    .optional(),
  firmware: z.enum(["bios", "uefi"]).default("bios"),
  roles: z.array(z.enum(["hypervisor", "management-server", "service"])).default(["hypervisor"]),
  state: z.enum(["active", "quarantined", "spare"]).default("active"),
});

const fingerprint = z
  .string()
  .regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/i, "must be the SHA-256 fingerprint of its certificate: 32 bytes with colons");

const driver = z.strictObject({
  name,
  address: ipv4,
  mac: mac.optional(),
  /** Its address in each further network that it serves, by the network's name. */
  addresses: z.record(z.string(), ipv4).default({}),
  ssh,
  cobbler: z.strictObject({
    url: z.url(),
    credential: z.string().min(1).default("cobbler"),
    /** The web server's access log, where the account on the driver may read it: it shows who fetched an answer file. */
    accessLog: absolute.optional(),
    /** SHA-256 fingerprint of its certificate, for an `https:` address. */
    tlsFingerprint: fingerprint.optional(),
  }),
  dnsmasq: z.strictObject({
    hostsDirectory: absolute,
    dhcpHostsDirectory: absolute,
    pidFile: absolute,
    leaseFile: absolute.optional(),
    log: absolute,
  }),
  dhcp: z.enum(["dnsmasq", "cobbler"]).default("dnsmasq"),
  dns: z.enum(["dnsmasq", "cobbler"]).default("dnsmasq"),
  ntp: z
    .strictObject({ servers: z.array(ipv4).min(1, "needs a server"), largestOffsetSeconds: z.number().positive().default(1) })
    .optional(),
  /** The puppet master: where its modules lie. */
  puppet: z.strictObject({ modulesDirectory: absolute }).optional(),
});

/** `environments/<site>/inventory.yaml`: the one place for every MAC, address and name of a site. */
export const inventorySchema = z.strictObject({
  site: name,
  embedded: z.boolean().default(false),
  unreachable: z.string().min(1).optional(),
  networks: z.record(
    z.string(),
    z.strictObject({
      cidr,
      gateway: ipv4.optional(),
      domain: hostName.optional(),
      dynamic: z.array(z.strictObject({ from: ipv4, to: ipv4 })).default([]),
    }),
  ),
  driver,
  /** By the name that the addresses of stores call them. */
  nfsServers: z
    .record(
      hostName,
      z.strictObject({
        /** Defaults to its name. */
        address: place.optional(),
        /** Directories below which stores may lie. Nothing outside is ever wiped. */
        roots: z
          .array(absolute.refine((path) => !NO_STORE_ROOT.test(path), "is a directory of the system, not one for stores"))
          .min(1, "needs a root"),
        ssh,
      }),
    )
    .default({}),
  xenServers: z
    .record(
      name,
      z.strictObject({
        /** Defaults to its name. */
        address: place.optional(),
        tlsSha256: fingerprint,
        credential: z.string().min(1).default("xenserver"),
      }),
    )
    .default({}),
  /** Parts of answer files, by the name under which they include them. */
  snippets: z.record(z.string(), z.strictObject({ file: relative })).default({}),
  /** Package repositories that profiles name. */
  repos: z.record(z.string(), z.strictObject(repoFields)).default({}),
  templates: z.record(z.string(), z.strictObject({ file: relative, kind: z.enum(["shell", "kickstart", "preseed", "xenserver"]) })),
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
      repos: z.array(z.string()).default([]),
      kernelOptions: texts,
      variables: texts,
      os: z.strictObject({ id: z.string(), version: z.string() }),
    }),
  ),
  machines: z.record(name, machine),
  limits: z
    .strictObject({
      simultaneousInstalls: positive.default(8),
      bmcPacingSeconds: z.number().nonnegative().default(5),
      installSeconds: z.number().positive().default(1800),
      /** Of one puppet run. */
      runSeconds: z.number().int().positive().default(1800),
      /** Of one start of the management server. */
      startSeconds: z.number().positive().default(900),
    })
    .default({ simultaneousInstalls: 8, bmcPacingSeconds: 5, installSeconds: 1800, runSeconds: 1800, startSeconds: 900 }),
});

export type Inventory = z.infer<typeof inventorySchema>;
export type InventoryMachine = Inventory["machines"][string];

/** The inventory of a site where nothing is installed by us: it only names a management server that runs already. */
export const externalSiteSchema = z.strictObject({
  site: name,
  unreachable: z.string().min(1).optional(),
  managementServer: z.strictObject({
    address: place,
    /** The API; and the open (integration) port, 0 where it is closed. */
    ports: z
      .strictObject({ api: port.default(8080), open: z.union([z.literal(0), port]).default(8096) })
      .default({ api: 8080, open: 8096 }),
    /** `apiKey` and `secretKey`, or `user` and `password`; not needed where the open port answers. */
    credential: z.string().min(1).default("cloudstack"),
  }),
});

export type ExternalSite = z.infer<typeof externalSiteSchema>;
