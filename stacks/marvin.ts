import { z } from "zod";
import type { Found } from "./schema.ts";
import type { Path } from "./sources/index.ts";

// Upstream's dialect has no schema, and its reader takes null for missing. What this project reads is checked; other keys pass.
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);
const list = <T extends z.ZodType>(schema: T) =>
  z
    .array(schema)
    .nullish()
    .transform((value) => value ?? []);
const text = z.string();
const number = z.union([z.number(), z.string().regex(/^\d+$/, "must be a number").transform(Number)]);
const flag = z.union([z.boolean(), z.string()]);
const vlan = z.union([z.string(), z.number().int().transform(String)]);
const ipv4 = z.ipv4("must be an IPv4 address");
const netmask = ipv4.refine((mask) => {
  const bits = mask.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  // Of a netmask's complement, plus one, only one bit is set.
  const hosts = 2 ** 32 - bits;
  return bits > 0 && Number.isInteger(Math.log2(hosts));
}, "must be a netmask");
const storage = {
  url: text,
  name: optional(text),
  details: z.unknown().optional(),
  tags: z.unknown().optional(),
  scope: optional(text),
  hypervisor: optional(text),
};
const login = { username: optional(text), password: optional(text) };
const addresses = { startip: ipv4, endip: ipv4, netmask, gateway: ipv4 };

const range = z.looseObject({ ...addresses, vlan: optional(vlan), account: optional(text), domainid: optional(text) });
const host = z.looseObject({ url: text.min(1), ...login, hosttags: optional(text) });
const cluster = z.looseObject({
  clustername: text.min(1),
  hypervisor: text.min(1),
  clustertype: text,
  url: optional(text),
  ...login,
  hosts: list(host),
  primaryStorages: list(z.looseObject(storage)),
});
const pod = z.looseObject({
  name: text.min(1),
  ...addresses,
  guestIpRanges: list(range),
  vmwaredc: z.unknown().optional(),
  clusters: z.array(cluster),
});
const physicalNetwork = z.looseObject({
  name: text.min(1),
  isolationmethods: list(text),
  vlan: optional(vlan),
  broadcastdomainrange: optional(text),
  tags: z.unknown().optional(),
  traffictypes: list(z.looseObject({ typ: text })),
  providers: list(z.looseObject({ name: text, devices: z.unknown().optional(), broadcastdomainrange: optional(text) })),
});
const zone = z.looseObject({
  name: text.min(1),
  networktype: z.enum(["Basic", "Advanced"]),
  dns1: ipv4,
  internaldns1: ipv4,
  dns2: optional(ipv4),
  internaldns2: optional(ipv4),
  domain: optional(text),
  localstorageenabled: optional(flag),
  guestcidraddress: optional(z.cidrv4("must be a network like 10.1.1.0/24")),
  securitygroupenabled: optional(flag),
  networkofferingname: optional(text),
  enabled: optional(flag),
  physical_networks: list(physicalNetwork),
  ipranges: list(range),
  pods: z.array(pod),
  primaryStorages: list(z.looseObject(storage)),
  secondaryStorages: list(z.looseObject({ ...storage, url: optional(text), provider: optional(text) })),
  cacheStorages: list(z.looseObject({ ...storage, provider: optional(text) })),
  details: z.unknown().optional(),
});

/** A marvin configuration (`*.cfg`): zones, pods, clusters, hosts, stores, and the management server. */
export const marvinSchema = z.looseObject({
  zones: z.array(zone).min(1, "needs a zone"),
  mgtSvr: z
    .array(
      z.looseObject({
        mgtSvrIp: text.min(1),
        mgtSvrName: optional(text),
        port: optional(number),
        user: optional(text),
        passwd: optional(text),
      }),
    )
    .min(1, "needs a management server"),
  dbSvr: optional(
    z.looseObject({ dbSvr: optional(text), db: optional(text), port: optional(number), user: optional(text), passwd: optional(text) }),
  ),
  globalConfig: list(z.looseObject({ name: text.min(1), value: z.union([z.string(), z.number(), z.boolean()]).transform(String) })),
  logger: z.unknown().optional(),
});

export type Marvin = z.infer<typeof marvinSchema>;

export interface MarvinHost {
  name: string;
  hypervisor: string;
  zone: string;
  pod: string;
  cluster: string;
  /** Where its address stands in the configuration. */
  path: (string | number)[];
}

/** The hypervisor whose hosts exist in no inventory: they are rows of the management server's own database. */
export function isSimulator(hypervisor: string | undefined): boolean {
  return hypervisor?.toLowerCase() === "simulator";
}

/** Every host that is a machine. What a fault of form left out of a host's surroundings is "?". */
export function marvinHosts(marvin: Found<Marvin>): MarvinHost[] {
  return clusters(marvin).flatMap(({ zone, pod, cluster, path }) =>
    isSimulator(cluster.hypervisor)
      ? []
      : (cluster.hosts ?? []).flatMap((host, h) =>
          host.url === undefined
            ? []
            : [
                {
                  name: hostName(host.url),
                  hypervisor: cluster.hypervisor ?? "?",
                  zone: zone.name ?? "?",
                  pod: pod.name ?? "?",
                  cluster: cluster.clustername ?? "?",
                  path: [...path, "hosts", h, "url"],
                },
              ],
        ),
  );
}

type FoundZone = NonNullable<Found<Marvin>["zones"]>[number];
type FoundPod = NonNullable<FoundZone["pods"]>[number];
type FoundCluster = NonNullable<FoundPod["clusters"]>[number];

export function pods(marvin: Found<Marvin>): { zone: FoundZone; pod: FoundPod; path: Path }[] {
  return (marvin.zones ?? []).flatMap((zone, z) => (zone.pods ?? []).map((pod, p) => ({ zone, pod, path: ["zones", z, "pods", p] })));
}

export function clusters(marvin: Found<Marvin>): { zone: FoundZone; pod: FoundPod; cluster: FoundCluster; path: Path }[] {
  return pods(marvin).flatMap(({ zone, pod, path }) =>
    (pod.clusters ?? []).map((cluster, c) => ({ zone, pod, cluster, path: [...path, "clusters", c] })),
  );
}

/** Whether nothing of the zone is a machine. */
export function isSimulated(zone: FoundZone): boolean {
  const all = (zone.pods ?? []).flatMap((pod) => pod.clusters ?? []);
  return all.length > 0 && all.every((cluster) => isSimulator(cluster.hypervisor));
}

/** `http://h11` or `h11.lab.test:8080/x` → `h11`: an inventory names machines without their domain. */
export function hostName(url: string): string {
  const authority = url.replace(/^\w+:\/\//, "").split(/[/:]/)[0] ?? "";
  return /^[\d.]+$/.test(authority) ? authority : (authority.split(".")[0] ?? "");
}
