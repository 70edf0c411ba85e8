import { isDeepStrictEqual } from "node:util";
import { allDefinitions, type Context, limiter, type Mark, sameMark } from "../providers/kernel/index.ts";
import { type Holding, ownershipOf } from "../providers/kernel/ownership.ts";
import type { WantedResource } from "./digest.ts";

/** Something of the site that the stack wants and that exists already. */
export interface Surveyed {
  resource: WantedResource;
  holding: Holding;
  /** Where it differs from what the stack wants: `profile: is "a", will be "b"`. */
  differences: string[];
}

/** Questions asked of the site at the same time. */
const CONCURRENCY = 8;

/** Looks at everything that the stack wants and that carries marks; changes nothing. */
export async function surveySite(context: Context, wanted: readonly WantedResource[]): Promise<Surveyed[]> {
  const ask = limiter("survey", CONCURRENCY);
  // All have ended before one's failure is told: what still asks would open connections that nobody closes.
  const rows = await Promise.allSettled(
    wanted.map((resource) =>
      ask(async () => {
        const ownership = ownershipOf(resource.type);
        const holdings = (await ownership?.holdings(context, resource.inputs)) ?? [];
        if (holdings.length === 0) return [];
        const differences = await differencesOf(context, resource);
        return holdings.map((holding): Surveyed => ({ resource, holding, differences }));
      }),
    ),
  );
  return rows.flatMap((row) => {
    if (row.status === "rejected") throw row.reason;
    return row.value;
  });
}

/** Puts this stack's mark on each, one after another. Stops at the first that is refused: what was taken stays taken. */
export async function takeAll(context: Context, rows: readonly Surveyed[], onTaken: (row: Surveyed) => void): Promise<void> {
  for (const row of rows) {
    await ownershipOf(row.resource.type)?.take(context, row.resource.inputs, row.holding);
    onTaken(row);
  }
}

/** What `up` would change of it: the stack's arguments beside what the server says now. */
async function differencesOf(context: Context, { type, inputs }: WantedResource): Promise<string[]> {
  const definition = allDefinitions().find((one) => one.type === type);
  const seen = (await definition?.observe(context, inputs, undefined))?.inputs ?? {};
  return Object.entries(seen)
    .filter(([key, value]) => !isDeepStrictEqual(value, inputs[key]))
    .map(([key, value]) => `${key}: is ${JSON.stringify(value)}, will be ${JSON.stringify(inputs[key])}`);
}

export const isOurs = (row: Surveyed, mark: Mark) => sameMark(row.holding.holder, mark);

/** Whether something concerns one machine: an object of its own, or a claim on it or its addresses. */
export function concernsHost({ resource, holding }: Surveyed, wanted: readonly WantedResource[], host: string): boolean {
  const { claims, name, certname } = resource.inputs;
  if (!Array.isArray(claims)) return name === host || String(certname ?? "").startsWith(`${host}.`);
  const own = wanted.filter(({ inputs }) => inputs.name === host);
  const names = new Set<unknown>([host, ...own.flatMap(({ inputs }) => addressesIn(inputs))]);
  return names.has(holding.object.slice(holding.object.indexOf("/") + 1));
}

/** The machine's own addresses: of itself, its BMC, its interfaces. */
function addressesIn(inputs: Record<string, unknown>): unknown[] {
  const { address, mac, bmc } = inputs as { address?: string; mac?: string; bmc?: { address?: string } };
  return [address, mac, bmc?.address].filter((value) => value !== undefined);
}

/** The machines that a stack installs, by name. */
export function hostNames(wanted: readonly WantedResource[]): string[] {
  return wanted
    .filter(({ type }) => type === "baremetal:Host")
    .map(({ inputs }) => String(inputs.name))
    .sort();
}
