// What an `up` left on the site and in its state, as one list each, so that two moments can be compared.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { processesIn } from "./processes.ts";
import type { Project } from "./project.ts";
import { xenApi } from "./xen-server.ts";

const folders = [
  ...["systems", "profiles", "distros"].map((name) => `/var/lib/cobbler/collections/${name}`),
  "/var/lib/cobbler/templates",
  ...["/srv/testbed/hosts.d", "/srv/testbed/dhcp.d", "/srv/puppet/environments/production/modules"],
  ...["leases", "stores", "puppet"].map((name) => `/var/lib/cloudstack-testbed/${name}`),
];

/** Everything on the site that a stack can make, by name. Locks are no objects. */
export async function siteContents(): Promise<string[]> {
  const files = folders.flatMap((place) =>
    entries(place)
      .filter((name) => !name.endsWith(".lock"))
      .map((name) => `${place}/${name}`),
  );
  const stores = entries("/srv/nfs").map((name) => `/srv/nfs/${name}`);
  return [...files, ...stores, ...certificates(), ...(await virtualObjects())].sort();
}

const entries = (place: string) => (existsSync(place) ? readdirSync(place) : []);

/** The emulator's authority writes its file with the first certificate. */
function certificates(): string[] {
  const file = "/srv/puppet/ca/ca.json";
  if (!existsSync(file)) return [];
  const authority = JSON.parse(readFileSync(file, "utf8")) as { certificates: { name: string }[] };
  return authority.certificates.map(({ name }) => `certificate ${name}`);
}

/** A disk without its VM is an orphan too. */
async function virtualObjects(): Promise<string[]> {
  const api = xenApi();
  await api.connect();
  try {
    const found = [];
    for (const type of ["VM", "VDI", "VBD", "VIF"]) {
      const records = (await api.call(`${type}.get_all_records`)) as Record<string, { name_label?: string }>;
      found.push(...Object.entries(records).map(([reference, { name_label }]) => `${type} ${name_label ?? ""} ${reference}`));
    }
    return found;
  } finally {
    await api.disconnect();
  }
}

/** Providers that work on after their CLI ended; given the time that an interrupted one takes to end. */
export async function providersLeft(folder: string): Promise<string[]> {
  // Pulumi's own language host outlives a killed CLI; it does nothing.
  const providers = () => processesIn(folder).filter((command) => command.includes("cmd/dynamic-provider"));
  const deadline = performance.now() + 15_000;
  while (providers().length > 0 && performance.now() < deadline) await pause(100);
  return providers().map((command) => `process ${command}`);
}

interface Resource {
  urn: string;
  id?: string;
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  dependencies?: string[];
  initErrors?: string[];
}

interface Operation {
  type: string;
  resource: { urn: string };
}

/** Outputs that nothing is compared with: times, names that servers give, and what only the `up` knows that did it. */
const incidental = ["changed", "installedAt", "phases", "ran", "reportedAt", "result", "since", "syncedAt", "uid", "userId", "way"];

/**
 * The state, a line per value that the next diff can look at, and one per operation that is unfinished. Tokens and host
 * keys of an installation, which others have among their inputs, stand there as the name of its machine: a stale one does not.
 */
export function stateLines(project: Project): string[] {
  const { latest } = JSON.parse(project.state()).checkpoint as { latest: { resources: Resource[]; pending_operations?: Operation[] } };
  const resources = latest.resources.filter(({ type }) => !type.startsWith("pulumi:providers:"));
  const names = new Map<unknown, string>();
  for (const { id, outputs = {} } of resources)
    for (const fresh of ["tokenFingerprint", "hostKey", "uuid"]) if (id && fresh in outputs) names.set(outputs[fresh], `${fresh} of ${id}`);
  const values = resources.flatMap(({ urn, id, inputs, outputs, dependencies = [], initErrors }) =>
    leaves({ id, inputs, outputs, dependencies: dependencies.toSorted(), initErrors }, urn.split("::").slice(2).join(" "), names),
  );
  // Creations that a killed CLI had begun stay there, and the engine warns of them, until a refresh or destroy clears them.
  const finished = (one: Operation) => one.type === "creating" && resources.some(({ urn }) => urn === one.resource.urn);
  const unfinished = (latest.pending_operations ?? []).filter((one) => !finished(one));
  return [...values, ...unfinished.map((one) => `unfinished ${one.type} ${one.resource.urn}`)].sort();
}

function leaves(value: unknown, path: string, names: ReadonlyMap<unknown, string>): string[] {
  // Encrypted with a nonce of its own each time.
  if (value === null || typeof value !== "object" || "ciphertext" in value) {
    const text = value !== null && typeof value === "object" ? "secret" : JSON.stringify(value);
    return text === undefined
      ? []
      : [`${path} = ${[...names].reduce((line, [fresh, name]) => line.replaceAll(String(fresh), name), text)}`];
  }
  return Object.entries(value).flatMap(([key, one]) =>
    path.includes(".outputs") && incidental.includes(key) ? [] : leaves(one, `${path}.${key}`, names),
  );
}
