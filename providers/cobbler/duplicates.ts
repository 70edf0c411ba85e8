import { forgetSession, session, TestbedError } from "../kernel/index.ts";
import type { CobblerClient, Item } from "./client.ts";
import { sameValue } from "./compare.ts";
import type { SystemInterface } from "./interfaces.ts";

interface Claims {
  name: string;
  hostname: string;
  interfaces: readonly SystemInterface[];
}

/** Seconds for which what the server's systems claim is believed: what was claimed since, cobbler itself refuses before it saves. */
const BELIEVED_SECONDS = 60;

/** Who claims what, by criterion and value. */
type Known = Map<string, string>;

const claimKey = (field: string, value: unknown) => `${field} ${String(value).toLowerCase()}`;

function remember(known: Known, item: Item): void {
  const put = (field: string, value: unknown) => value && value !== "~" && known.set(claimKey(field, value), String(item.name));
  put("hostname", item.hostname);
  for (const nic of Object.values((item.interfaces ?? {}) as Record<string, Item>))
    for (const field of ["mac_address", "ip_address", "dns_name"]) put(field, nic[field]);
}

const asked = new Map<string, number>();

/**
 * What the systems of a server claim, asked for once by all that are written at about the same time. Cobbler has no index of host names:
 * each search for one converts every system, which makes a site of 500 systems quadratic; and three more searches per system cost as much
 * as its save. Systems of ours are added as they are written.
 */
function knownClaims(client: CobblerClient): Promise<Known> {
  const key = `cobbler-claims ${client.url}`;
  if (performance.now() - (asked.get(key) ?? 0) > BELIEVED_SECONDS * 1000) forgetSession(key);
  return session(key, async () => {
    asked.set(key, performance.now());
    const known: Known = new Map();
    for (const item of await client.all("system")) remember(known, item);
    return known;
  });
}

/** The systems that claim it. What is known may be old: it is asked again. */
async function holdersOf(client: CobblerClient, field: string, value: string, fresh: boolean): Promise<string[]> {
  if (!fresh && field !== "hostname") return client.find("system", { [field]: value });
  const name = (await knownClaims(client)).get(claimKey(field, value));
  if (name === undefined) return [];
  if (field !== "hostname") return client.find("system", { [field]: value });
  return (await client.get("system", name))?.hostname === value ? [name] : [];
}

/** After a system was written. */
export async function rememberClaims(client: CobblerClient, { name, hostname, interfaces }: Claims): Promise<void> {
  const nics = interfaces.map((nic) => [
    nic.name,
    { mac_address: nic.mac ?? "", ip_address: nic.address ?? "", dns_name: nic.dnsName ?? "" },
  ]);
  remember(await knownClaims(client), { name, hostname, interfaces: Object.fromEntries(nics) });
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
    const other = (await holdersOf(client, field, value, item === undefined)).find((name) => name !== claims.name);
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
