import { session, TestbedError } from "../kernel/index.ts";
import type { CobblerClient, Item } from "./client.ts";
import { sameValue } from "./compare.ts";
import type { SystemInterface } from "./interfaces.ts";

interface Claims {
  name: string;
  hostname: string;
  interfaces: readonly SystemInterface[];
}

/**
 * The host names of a server's systems when this process first asked. Cobbler has no index of them: each search by host name
 * converts every system, which makes a site of 500 systems quadratic. Entries of ours are added as they are written.
 */
function knownHostnames(client: CobblerClient): Promise<Map<string, string>> {
  return session(`cobbler-hostnames ${client.url}`, async () => {
    const systems = await client.all("system");
    return new Map(systems.map((item) => [String(item.hostname), String(item.name)]));
  });
}

async function systemWithHostname(client: CobblerClient, hostname: string): Promise<string | undefined> {
  const name = (await knownHostnames(client)).get(hostname);
  // It may have been removed or renamed since.
  return name !== undefined && (await client.get("system", name))?.hostname === hostname ? name : undefined;
}

export async function rememberHostname(client: CobblerClient, claims: Claims): Promise<void> {
  (await knownHostnames(client)).set(claims.hostname, claims.name);
}

/** What the system is about to claim and does not hold yet, as cobbler's criteria. */
function* newClaims(claims: Claims, item: Item | undefined): Generator<[string, string]> {
  const present = (item?.interfaces ?? {}) as Record<string, Item>;
  const held = (field: string, value: string) => Object.values(present).some((nic) => sameValue(nic[field], value));
  if (item?.hostname !== claims.hostname) yield ["hostname", claims.hostname];
  for (const nic of claims.interfaces) {
    const values = { mac_address: nic.mac, ip_address: nic.address, dns_name: nic.dnsName };
    for (const [field, value] of Object.entries(values)) if (value && !held(field, value)) yield [field, value];
  }
}

/**
 * Refuses what another system holds, with all of it. Cobbler itself never compares host names, compares the rest only with
 * saved systems, and lets two through in a race.
 */
export async function refuseDuplicates(client: CobblerClient, claims: Claims, item: Item | undefined): Promise<void> {
  const taken: string[] = [];
  for (const [field, value] of newClaims(claims, item)) {
    const holders = field === "hostname" ? [await systemWithHostname(client, value)] : await client.find("system", { [field]: value });
    const other = holders.find((name) => name !== undefined && name !== claims.name);
    if (other) taken.push(`${field} ${value} is in use by the system ${other}`);
  }
  if (taken.length === 0) return;
  throw new TestbedError({
    system: client.system,
    object: `system ${claims.name}`,
    kind: "conflict",
    code: "duplicate",
    message: taken.join("; "),
    remedy: "remove the other system in cobbler, or correct the inventory",
  });
}
