import { z } from "zod";

// Upstream's dialect has no schema: what this project reads is checked, everything else passes (cloudstack facts §1).
const range = z.looseObject({
  startip: z.ipv4(),
  endip: z.ipv4(),
  netmask: z.ipv4(),
  gateway: z.ipv4(),
  vlan: z.coerce.string().optional(),
});
const host = z.looseObject({ url: z.string(), username: z.string().optional(), password: z.string().optional() });
const cluster = z.looseObject({
  clustername: z.string(),
  hypervisor: z.string(),
  clustertype: z.string(),
  hosts: z.array(host).default([]),
});
const pod = z.looseObject({
  name: z.string(),
  gateway: z.ipv4(),
  netmask: z.ipv4(),
  startip: z.ipv4(),
  endip: z.ipv4(),
  clusters: z.array(cluster),
});
const zone = z.looseObject({
  name: z.string(),
  networktype: z.enum(["Basic", "Advanced"]),
  dns1: z.ipv4(),
  internaldns1: z.ipv4(),
  ipranges: z.array(range).default([]),
  pods: z.array(pod),
});

/** A marvin configuration (`*.cfg`): zones, pods, clusters, hosts. */
export const marvinSchema = z.looseObject({
  zones: z.array(zone).min(1, "needs a zone"),
  mgtSvr: z.array(z.looseObject({ mgtSvrIp: z.string() })).min(1, "needs a management server"),
});

export type Marvin = z.infer<typeof marvinSchema>;

export interface MarvinHost {
  name: string;
  hypervisor: string;
  zone: string;
  pod: string;
  cluster: string;
  /** Where it stands in the configuration. */
  path: (string | number)[];
}

/** Every host of a configuration. A simulator's hosts exist in no inventory. */
export function marvinHosts(marvin: Marvin): MarvinHost[] {
  return marvin.zones.flatMap((zone, z) =>
    zone.pods.flatMap((pod, p) =>
      pod.clusters.flatMap((cluster, c) =>
        cluster.hosts.map((host, h) => ({
          name: hostName(host.url),
          hypervisor: cluster.hypervisor,
          zone: zone.name,
          pod: pod.name,
          cluster: cluster.clustername,
          path: ["zones", z, "pods", p, "clusters", c, "hosts", h, "url"],
        })),
      ),
    ),
  );
}

/** `http://h11` or `h11.lab.test:8080/x` → `h11`: an inventory names machines without their domain. */
function hostName(url: string): string {
  const authority = url.replace(/^\w+:\/\//, "").split(/[/:]/)[0] ?? "";
  return /^[\d.]+$/.test(authority) ? authority : (authority.split(".")[0] ?? "");
}
