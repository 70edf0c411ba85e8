import { z } from "zod";

// Upstream's dialect has no schema, and its reader takes null for missing. What this project reads is checked; other keys pass, and
// checks/unread.ts reports them.
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);
const list = <T extends z.ZodType>(schema: T) =>
  z
    .array(schema)
    .nullish()
    .transform((value) => value ?? []);
const text = z.string();
const number = z.union([z.number(), z.string().regex(/^\d+$/, "must be a number").transform(Number)]);
/** Marvin compares booleans as strings, `True` as well as `true`. */
const flag = z.union(
  [
    z.boolean(),
    z
      .string()
      .regex(/^(true|false)$/i)
      .transform((value) => value.toLowerCase() === "true"),
  ],
  "must be true or false",
);
const vlan = z.union([z.string(), z.number().int().transform(String)]);
const ipv4 = z.ipv4("must be an IPv4 address");
const netmask = ipv4.refine((mask) => {
  const bits = mask.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  // Of a netmask's complement, plus one, only one bit is set.
  const hosts = 2 ** 32 - bits;
  return bits > 0 && Number.isInteger(Math.log2(hosts));
}, "must be a netmask");
/** A value of a map that is sent as text. */
const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const details = optional(z.record(z.string(), scalar));
/** One text, or several in a list or between commas. */
const tags = z
  .union([z.array(z.string()), z.string()])
  .nullish()
  .transform((value) =>
    (typeof value === "string" ? value.split(",") : (value ?? [])).map((tag) => tag.trim()).filter((tag) => tag !== ""),
  );
const login = { username: optional(text), password: optional(text) };
const addresses = { startip: ipv4, endip: ipv4, netmask, gateway: ipv4 };

const range = z.looseObject({ ...addresses, vlan: optional(vlan), account: optional(text), domainid: optional(text) });
const pool = z.looseObject({ name: optional(text), url: text, details, tags, scope: optional(text), hypervisor: optional(text) });
/** Of a secondary store in 4.0 and 4.1 there was the address alone; an object store has no address. */
const store = z.looseObject({ url: optional(text), provider: optional(text), name: optional(text), details });
const host = z.looseObject({
  url: text.min(1),
  ...login,
  hosttags: optional(text),
  hostmac: optional(text),
  cpunumber: optional(number),
  cpuspeed: optional(number),
  memory: optional(number),
});
export const clusterSchema = z.looseObject({
  clustername: text.min(1),
  hypervisor: text.min(1),
  clustertype: text,
  url: optional(text),
  ...login,
  hosts: list(host),
  primaryStorages: list(pool),
});
const vmwareDatacenter = z.looseObject({ name: text, vcenter: text, ...login });
const pod = z.looseObject({
  name: text.min(1),
  ...addresses,
  guestIpRanges: list(range),
  vmwaredc: optional(vmwareDatacenter),
  clusters: z.array(clusterSchema),
});
const labels = { kvm: optional(text), xen: optional(text), vmware: optional(text), hyperv: optional(text), ovm3: optional(text) };
/** 4.0 had the labels one level deeper. */
const trafficType = z.looseObject({ typ: text, ...labels, labeldict: optional(z.looseObject(labels)) });
/** Beside host name and login everything else is a parameter of the device's address, whatever its name. */
const device = z.looseObject({ hostname: text, ...login, networkdevicetype: optional(text) });
const physicalNetwork = z.looseObject({
  name: text.min(1),
  isolationmethods: list(text),
  vlan: optional(vlan),
  tags,
  traffictypes: list(trafficType),
  providers: list(z.looseObject({ name: text, devices: list(device) })),
});
const zone = z.looseObject({
  name: text.min(1),
  networktype: z.enum(["Basic", "Advanced"]),
  dns1: ipv4,
  dns2: optional(ipv4),
  internaldns1: ipv4,
  internaldns2: optional(ipv4),
  domain: optional(text),
  localstorageenabled: optional(flag),
  guestcidraddress: optional(z.cidrv4("must be a network like 10.1.1.0/24")),
  securitygroupenabled: optional(flag),
  networkofferingname: optional(text),
  enabled: optional(flag),
  /** Guest VLANs of the zone, as 4.0 wrote them. */
  vlan: optional(vlan),
  physical_networks: list(physicalNetwork),
  ipranges: list(range),
  pods: z.array(pod),
  primaryStorages: list(pool),
  secondaryStorages: list(store),
  cacheStorages: list(store),
  details: list(z.looseObject({ key: text.min(1), value: scalar })),
  tungstenprovider: optional(z.looseObject({ name: text, hostname: text, gateway: text })),
  baremetalrcturl: optional(text),
});
const managementServer = z.looseObject({
  mgtSvrIp: text.min(1),
  mgtSvrName: optional(text),
  port: optional(number),
  user: optional(text),
  passwd: optional(text),
  apiKey: optional(text),
  securityKey: optional(text),
  useHttps: optional(flag),
  certCAPath: optional(text),
  certPath: optional(text),
  hypervisor: optional(text),
});
const database = z.looseObject({
  dbSvr: optional(text),
  db: optional(text),
  port: optional(number),
  user: optional(text),
  passwd: optional(text),
});
/** Where tests write: a folder; in 4.0 and 4.1 three files. */
const logger = z.union(
  [z.looseObject({ LogFolderPath: text }), z.array(z.looseObject({ name: text, file: text }))],
  'must be { "LogFolderPath": "…" }, or a list of { "name": "…", "file": "…" }',
);
const objectStore = z.looseObject({
  accesskey: text,
  secretkey: text,
  bucket: text,
  endpoint: optional(text),
  usehttps: optional(scalar),
  connectiontimeout: optional(scalar),
  maxerrorretry: optional(scalar),
  sockettimeout: optional(scalar),
});

/** A marvin configuration (`*.cfg`): zones, pods, clusters, hosts, stores, and the management server. */
export const marvinSchema = z.looseObject({
  zones: z.array(zone).min(1, "needs a zone"),
  mgtSvr: z.array(managementServer).min(1, "needs a management server"),
  dbSvr: optional(database),
  globalConfig: list(z.looseObject({ name: text.min(1), value: scalar })),
  logger: optional(logger),
  /** The region's S3 store, as 4.1 wrote it. */
  s3: optional(objectStore),
});

export type Marvin = z.infer<typeof marvinSchema>;
