import { readFileSync } from "node:fs";

/** One line of a recording of the real server. */
export interface Recorded {
  n: number;
  label?: string;
  port: number;
  method: string;
  path?: string;
  params: Record<string, string | string[]>;
  status: number | null;
  headers: Record<string, string | string[]>;
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
    const same = (line.body as { same_as?: number }).same_as;
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

/** The first place where two replies differ, ids translated, times and masked secrets aside; undefined when they agree. */
export function difference(recorded: unknown, ours: unknown, ids: Ids, path = "body"): string | undefined {
  if (typeof recorded === "string" && typeof ours === "string") {
    if (MASK.test(recorded) && ours !== "") return undefined;
    const plain = (text: string) => text.replaceAll(TIME, "<time>").replaceAll(/<sessionkey>[^<]*</g, "<sessionkey><");
    const [wanted, seen] = [plain(ids.translate(recorded)), plain(ours)];
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
