import { readFileSync } from "node:fs";

/** One line of a recording of the real server. */
export interface Recorded {
  n: number;
  /** Seconds from the beginning of the scenario. */
  t: number;
  label?: string;
  port: number;
  method: string;
  path?: string;
  params: Record<string, string | string[]>;
  status: number | null;
  headers?: Record<string, string | string[]>;
  body: unknown;
  sent_as?: string;
  cookie?: string;
}

/** The calls of a recording; `same_as` is replaced by what it points at. */
export function readRecording(name: string): Recorded[] {
  const text = readFileSync(new URL(`../recordings/cloudstack/${name}.jsonl`, import.meta.url), "utf8");
  const all = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded)
    .filter((line) => line.method !== undefined);
  const bodies = new Map(all.map((line) => [line.n, line.body]));
  for (const line of all) {
    const same = (line.body as { same_as?: number } | null)?.same_as;
    if (same !== undefined) line.body = bodies.get(same);
  }
  return all;
}

export interface Known {
  keys: Record<string, { apiKey: string; secretKey: string }>;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000/g;

/** The recorded ids and the ids that the emulator gave to the same objects. */
export class Ids {
  readonly #ours = new Map<string, string>();

  copy(): Ids {
    const copy = new Ids();
    for (const [theirs, ours] of this.#ours) copy.#ours.set(theirs, ours);
    return copy;
  }

  /** The recorded text with the emulator's ids in it. */
  translate(text: string): string {
    return text.replaceAll(UUID, (id) => this.#ours.get(id) ?? id);
  }

  /** Learns from two replies to the same call. */
  learn(recorded: unknown, ours: unknown): void {
    if (typeof recorded === "string" && typeof ours === "string") {
      const [theirIds, ourIds] = [recorded.match(UUID) ?? [], ours.match(UUID) ?? []];
      if (theirIds.length === ourIds.length)
        for (const [index, id] of theirIds.entries()) if (!this.#ours.has(id)) this.#ours.set(id, ourIds[index] ?? "");
    } else if (typeof recorded === "object" && recorded !== null && typeof ours === "object" && ours !== null) {
      for (const [key, value] of Object.entries(recorded)) this.learn(value, (ours as Record<string, unknown>)[key]);
    }
  }
}

const MASK = /^<[a-z ]+>$/;

/** Fields whose value a server draws by lot, or that say which of several equal hosts or pools it took: their type counts. */
const drawn = [
  /(privateip|publicip|linklocalip|guestipaddress|macaddress|lastpinged|path)$/,
  /\.host\.(\d+\.)?(ipaddress|(cpu|memory)allocated\w*)$/,
  /\.(systemvm|router|virtualmachine)(\.\d+)?\.(hostid|hostname)$/,
  /\.volume\.\d+\.(storage|storageid|clusterid|clustername|serviceofferingid)$/,
  /\.downloaddetails\.\d+\.(datastore|datastoreId)$/,
  /\.storagepool(\.\d+)?\.disksizeallocated$/,
];

/** What a server's timers measure: whether it is there yet depends on their phase. */
const measured = [
  /\.(host|storagepool)\.(\d+\.)?(cpuused|cpuloadaverage|networkkbs\w+|memoryused|capacityiops|usediops)$/,
  /\.template\.\d+\.(size|physicalsize|downloaddetails\.\d+)$/,
  /\.capacity\.\d+$/,
  /\.(zone|pod|cluster)\.\d+\.capacity\.\d+\.(capacityused|capacitytotal|percentused)$/,
];

/** Database ids and instance numbers in texts, which count from what the server has seen before. */
const numbers: [RegExp, string][] = [
  [/\b([vsri])-(\d+-)?\d+-VM\b/g, "$1-N-VM"],
  [/\bROOT-\d+/g, "ROOT-N"],
  [/("id": ?"?)\d+("?)/g, "$1N$2"],
  [/({id: ")\d+/g, "$1N"],
  [/\b(ID: |Cluster: |StoragePool:|id=|pod: |with id |VM \[)\d+/g, "$1N"],
  [/(P IP \[|private IP \[|public IP \[)[\d.]+/g, "$1A"],
];

/** Lists, and words of a text, in no order of their own. */
const unordered = /\.(networkserviceprovider|\w*element|servicelist|service|capability|capacity|network|downloaddetails|provider)$/;
const words = /\.(events|hosttags|explicithosttags)$/;

/** What tells one object of an unordered list from the others. */
function keyOf(value: unknown, ids: Ids): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { name, traffictype, datastoreRole, type, id } = value as Record<string, string>;
  return ids.translate(String(name ?? datastoreRole ?? traffictype ?? type ?? id));
}

/** Our reply in the order of the recorded one, as far as the order means nothing. */
export function inOrderOf(recorded: unknown, ours: unknown, ids: Ids, path = "body"): unknown {
  if (typeof recorded !== "object" || recorded === null || typeof ours !== "object" || ours === null) return ours;
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    const rest = [...ours];
    const ordered = unordered.test(path)
      ? recorded.flatMap((wanted) => {
          const index = rest.findIndex((one) => keyOf(one, ids) === keyOf(wanted, ids));
          return index < 0 ? [] : rest.splice(index, 1);
        })
      : [];
    const all = [...ordered, ...(unordered.test(path) ? rest : ours)];
    return all.map((one, index) => inOrderOf(recorded[index], one, ids, `${path}.${index}`));
  }
  const theirs = recorded as Record<string, unknown>;
  return Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, inOrderOf(theirs[name], value, ids, `${path}.${name}`)]));
}

const sorted = (text: string) =>
  text
    .split(/[;,]\s*/)
    .sort()
    .join(";");

function normalised(text: string): string {
  const plain = text.replaceAll(TIME, "<time>").replaceAll(/<sessionkey>[^<]*</g, "<sessionkey><");
  return numbers.reduce((changed, [pattern, replacement]) => changed.replaceAll(pattern, replacement), plain);
}

/** A list that the recorder cut to its first two. */
function isTrimmed(value: unknown): value is { trimmed_list: number; first: unknown[] } {
  return typeof value === "object" && value !== null && "trimmed_list" in value;
}

/** The first place where two replies differ, ids translated, times and masked secrets aside; undefined when they agree. */
export function difference(recorded: unknown, ours: unknown, ids: Ids, path = "body"): string | undefined {
  if ((recorded === undefined || ours === undefined) && measured.some((field) => field.test(path))) return undefined;
  if (typeof recorded === typeof ours && typeof recorded !== "object" && measured.at(-1)?.test(path)) return undefined;
  if (isTrimmed(recorded)) {
    const list = Array.isArray(ours) ? ours : [];
    if (list.length !== recorded.trimmed_list) return `${path}: expected ${recorded.trimmed_list} objects, got ${list.length}`;
    return difference(recorded.first, list.slice(0, recorded.first.length), ids, path);
  }
  if (typeof recorded === typeof ours && typeof recorded !== "object" && drawn.some((field) => field.test(path))) return undefined;
  if (typeof recorded === "string" && typeof ours === "string") {
    if (MASK.test(recorded) && ours !== "") return undefined;
    const order = words.test(path) ? sorted : (text: string) => text;
    const [wanted, seen] = [order(normalised(ids.translate(recorded))), order(normalised(ours))];
    return wanted === seen ? undefined : `${path}: expected ${wanted}, got ${seen}`;
  }
  if (typeof recorded !== "object" || recorded === null || typeof ours !== "object" || ours === null)
    return recorded === ours ? undefined : `${path}: expected ${JSON.stringify(recorded)}, got ${JSON.stringify(ours)}`;
  const [wanted, seen] = [recorded as Record<string, unknown>, ours as Record<string, unknown>];
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(seen)])];
  for (const name of names) {
    const found = difference(wanted[name], seen[name], ids, `${path}.${name}`);
    if (found) return found;
  }
  return undefined;
}
