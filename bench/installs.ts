import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout, run } from "./place.ts";
import { editYaml, StackRun } from "./stack-run.ts";

/** The numbers of the four machines: h11 has the address 10.91.0.11. */
const MACHINES = ["11", "12", "13", "14"];

/** Stack kvm with its four QEMU hosts and nothing that comes after them: no stores, no puppet, no management server. */
export function installsOnly(): StackRun {
  return new StackRun({
    name: "installs",
    machines: "qemu",
    count: MACHINES.length,
    edit(site, stackFile) {
      editMarvin(join(site, "lab-kvm.cfg"));
      editYaml(join(site, "inventory.yaml"), (document) => document.deleteIn(["driver", "puppet"]));
      editYaml(stackFile, (document) => document.deleteIn(["config", "cloudstack-testbed:managementServer"]));
    },
  });
}

/** The installs of such a stack by the bare script: seconds. */
export async function bareInstalls({ folder, lab }: StackRun): Promise<number> {
  // ssh takes no key that others may read, and git keeps no such modes.
  const key = join(folder, "key");
  writeFileSync(key, readFileSync(join(checkout, "lab/keys/id_ed25519")), { mode: 0o600 });
  const script = join(checkout, "bench/baseline/install.sh");
  return (await run(["sh", script, key, ...MACHINES], { inLab: lab, limitSeconds: 900 })).seconds;
}

interface MarvinPart {
  zones: { secondaryStorages?: unknown; pods: { clusters: { primaryStorages?: unknown }[] }[] }[];
}

function editMarvin(file: string): void {
  const marvin = JSON.parse(readFileSync(file, "utf8").replaceAll(/^\s*#.*$/gm, "")) as MarvinPart;
  for (const zone of marvin.zones) {
    delete zone.secondaryStorages;
    for (const cluster of zone.pods.flatMap((pod) => pod.clusters)) delete cluster.primaryStorages;
  }
  writeFileSync(file, JSON.stringify(marvin, undefined, 2));
}
