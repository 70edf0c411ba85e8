import type { Marvin } from "./marvin-schema.ts";
import type { Found } from "./schema.ts";
import type { Path } from "./sources/index.ts";

export { type Marvin, marvinSchema } from "./marvin-schema.ts";

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
