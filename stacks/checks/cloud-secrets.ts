import type { CloudPlan, PlannedImageStore, PlannedZone } from "../cloud-plan.ts";
import { configPath, type StackConfiguration } from "../config.ts";
import type { Finding } from "../findings.ts";
import type { ExternalSite } from "../inventory.ts";
import { isSimulator } from "../marvin.ts";
import type { Found } from "../schema.ts";
import type { Source } from "../sources/index.ts";
import { collector } from "./collect.ts";
import { isSet, missing } from "./secrets.ts";

/** Fields of the credential of a store that its provider cannot do without. */
const STORE_FIELDS: Record<string, string[]> = { S3: ["accesskey", "secretkey"], SMB: ["user", "password"], SWIFT: ["username", "key"] };

/**
 * Whether the stack has every secret that the cloud is made with. Those that stand in a marvin file in clear text are not used for it.
 * @param external whether nothing is installed before the cloud is made: then one that is missing is found out soon, and a warning
 */
export function checkCloudSecrets(cloud: CloudPlan, config: Found<StackConfiguration>, source: Source, external: boolean): Finding[] {
  const { findings, add } = collector();
  const asked = new Set<string>();
  const need = (what: string, credential: string, fields: readonly string[]) => {
    for (const field of fields) {
      if (isSet(config, credential, field) || asked.has(`${credential}.${field}`)) continue;
      asked.add(`${credential}.${field}`);
      add(source, "TB130", configPath("credentials"), {
        ...missing(credential, field, `${what} cannot be added without it; clear text of a marvin file is not used`),
        severity: external ? "warning" : "error",
      });
    }
  };
  const store = ({ name, provider, credential }: PlannedImageStore) =>
    credential !== undefined && need(`store ${name}`, credential, STORE_FIELDS[provider.toUpperCase()] ?? []);
  for (const zone of cloud.zones) {
    checkPods(zone, need);
    for (const network of zone.physicalNetworks)
      for (const { devices } of network.providers)
        for (const { name, credential } of devices) need(`device ${name}`, credential, ["user", "password"]);
    zone.imageStores.forEach(store);
    zone.stagingStores.forEach(store);
  }
  cloud.imageStores.forEach(store);
  return findings;
}

function checkPods({ pods }: PlannedZone, need: (what: string, credential: string, fields: readonly string[]) => void): void {
  for (const { vmwareDatacenter, clusters } of pods) {
    if (vmwareDatacenter) need(`datacenter ${vmwareDatacenter.name}`, vmwareDatacenter.credential, ["user", "password"]);
    for (const { hypervisor, vmware, hosts, name } of clusters) {
      if (vmware) need(`cluster ${name}`, vmware.credential, ["user", "password"]);
      // Simulated hosts take any password.
      for (const host of isSimulator(hypervisor) ? [] : hosts) need(`host ${host.name}`, host.credential, ["password"]);
    }
  }
}

/** Whether the stack can log in to a management server that runs already; where the open port answers that one tells the keys. */
export function checkServerCredential({ managementServer }: ExternalSite, config: Found<StackConfiguration>, source: Source): Finding[] {
  const { findings, add } = collector();
  const { ports, credential } = managementServer;
  const ways = [
    ["apiKey", "secretKey"],
    ["user", "password"],
  ];
  if (ports.open !== 0 || ways.some((fields) => fields.every((field) => isSet(config, credential, field)))) return findings;
  for (const field of ["apiKey", "secretKey"])
    if (!isSet(config, credential, field))
      add(source, "TB130", configPath("credentials"), missing(credential, field, "the open port is closed (0), so the keys must be known"));
  return findings;
}
