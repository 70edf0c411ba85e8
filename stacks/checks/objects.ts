import type { Finding } from "../findings.ts";
import { type Marvin, pods } from "../marvin.ts";
import type { Found } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/** Whether the names of zones, pods, clusters and physical networks are each unique where the server wants them to be. */
export function checkObjectNames(marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const unique = (kind: string, where: string, all: readonly { name: string | undefined; path: Path }[]) => {
    const seen = new Set<string>();
    for (const { name, path } of all) {
      if (name === undefined) continue;
      // The server compares zone names without their case; the others differ by case alone in nobody's lab on purpose.
      if (seen.has(name.toLowerCase()))
        add(source, "TB110", path, {
          what: `${kind} ${name} stands twice in ${where}`,
          why: "the server refuses the second in the middle of the deployment",
          remedy: "give each its own name",
        });
      seen.add(name.toLowerCase());
    }
  };
  const zones = marvin.zones ?? [];
  unique(
    "zone",
    "the file",
    zones.map((zone, z) => ({ name: zone.name, path: ["zones", z, "name"] })),
  );
  zones.forEach((zone, z) => {
    const networks = (zone.physical_networks ?? []).map(({ name }, n) => ({ name, path: ["zones", z, "physical_networks", n, "name"] }));
    unique("physical network", `zone ${zone.name}`, networks);
    unique(
      "pod",
      `zone ${zone.name}`,
      (zone.pods ?? []).map(({ name }, p) => ({ name, path: ["zones", z, "pods", p, "name"] })),
    );
  });
  for (const { pod, path } of pods(marvin))
    unique(
      "cluster",
      `pod ${pod.name}`,
      (pod.clusters ?? []).map((one, c) => ({ name: one.clustername, path: [...path, "clusters", c, "clustername"] })),
    );
  return findings;
}
