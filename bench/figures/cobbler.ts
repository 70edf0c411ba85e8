import { join } from "node:path";
import type { Figure, Sample } from "../figure.ts";
import { benchHosts } from "../names.ts";
import { checkout, ensureLab, run } from "../place.ts";
import { BenchProject, withUp } from "../project.ts";

const SYSTEMS = 542;
/** Template, distro, profile and sync around the systems. */
const AROUND = 4;

/** Adds or removes the same systems by Python's xmlrpc.client, one after another; seconds of the writes alone. */
export async function bareCobbler(verb: "add" | "remove", count: number): Promise<number> {
  const stdin = JSON.stringify(benchHosts(count));
  const { output } = await run(["python3", join(checkout, "bench/baseline/cobbler.py"), verb], { inLab: true, stdin });
  return Number(output.trim());
}

/** Full syncs that cobblerd has begun since it started. */
async function syncs(): Promise<number> {
  const { output } = await run(["python3", join(checkout, "bench/baseline/syncs.py")], { inLab: true });
  return Number(output.trim());
}

async function countSyncs(): Promise<Sample> {
  await ensureLab();
  const before = await syncs();
  return withUp(new BenchProject("systems", SYSTEMS, SYSTEMS), async (up) => ({
    value: (await syncs()) - before,
    parts: { up: up.seconds },
  }));
}

async function compare(): Promise<Sample> {
  await ensureLab();
  const up = await withUp(new BenchProject("systems", SYSTEMS, SYSTEMS), async (one) => one.seconds);
  const empty = await withUp(new BenchProject("empty", SYSTEMS + AROUND, SYSTEMS), async (one) => one.seconds);
  const bare = await bareCobbler("add", SYSTEMS);
  await bareCobbler("remove", SYSTEMS);
  return { value: (up - empty) / bare, parts: { up, empty, bare } };
}

export const cobblerFigures: Figure[] = [
  {
    id: "cobbler-syncs",
    what: `${SYSTEMS} systems into cobbler in one \`up\`: full syncs`,
    unit: "syncs",
    must: 1,
    command: "node bench/main.ts --only cobbler-syncs",
    measure: countSyncs,
  },
  {
    id: "cobbler-systems",
    what: "the same, minus as many empty dynamic resources / Python xmlrpc.client writing the same fields one after another",
    unit: "ratio",
    must: 1.3,
    command: "node bench/main.ts --only cobbler-systems",
    measure: compare,
  },
];
