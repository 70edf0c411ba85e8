import { join } from "node:path";
import { type Figure, type Sample, sharedRun } from "../figure.ts";
import { benchHosts } from "../names.ts";
import { accounted, checkout, ensureLab, type Run, run } from "../place.ts";
import { BenchProject } from "../project.ts";

/** Fewer, to try something out; the figure is that of 542. */
const SYSTEMS = Number(process.env.BENCH_SYSTEMS || 542);
/** Template, distro, profile and sync around the systems. */
const AROUND = 4;

/** Adds or removes the same systems by Python's xmlrpc.client, one after another; `writes` are the seconds of the writes alone. */
export async function bareCobbler(verb: "add" | "remove", count: number): Promise<Run & { writes: number }> {
  const stdin = JSON.stringify(benchHosts(count));
  const ended = await run(["python3", join(checkout, "bench/baseline/cobbler.py"), verb], { inLab: true, stdin });
  return { ...ended, writes: Number(ended.output.trim()) };
}

/** Full syncs that cobblerd has begun since it started. */
async function syncs(): Promise<number> {
  const { output } = await run(["python3", join(checkout, "bench/baseline/syncs.py")], { inLab: true });
  return Number(output.trim());
}

/** What an `up` takes; the project is destroyed afterwards. */
async function upOf(project: BenchProject): Promise<{ wall: number; cpu: number; syncs: number }> {
  await project.init();
  try {
    const before = await syncs();
    const times = await accounted(project.up);
    return { ...times, syncs: (await syncs()) - before };
  } finally {
    await project.destroy();
  }
}

const systemsWritten = sharedRun(async () => {
  await ensureLab();
  const up = await upOf(new BenchProject("systems", SYSTEMS, SYSTEMS));
  const empty = await upOf(new BenchProject("empty", SYSTEMS + AROUND, SYSTEMS));
  let bare = 0;
  const { cpu: bareCpu } = await accounted(async () => {
    const added = await bareCobbler("add", SYSTEMS);
    bare = added.writes;
    return added;
  });
  await bareCobbler("remove", SYSTEMS);
  return { up: up.wall, empty: empty.wall, bare, upCpu: up.cpu, emptyCpu: empty.cpu, bareCpu, syncs: up.syncs };
});

async function overBare(index: number): Promise<Sample> {
  const parts = await systemsWritten(index);
  return { value: (parts.up - parts.empty) / parts.bare, parts };
}

export const cobblerFigures: Figure[] = [
  {
    id: "cobbler-syncs",
    what: `${SYSTEMS} systems into cobbler in one \`up\`: full syncs`,
    unit: "syncs",
    must: 1,
    command: "make bench NAME=cobbler-syncs",
    async measure(index) {
      const { syncs: value, up } = await systemsWritten(index);
      return { value, parts: { up } };
    },
  },
  {
    id: "cobbler-systems",
    what: "the same, minus as many empty dynamic resources / Python xmlrpc.client writing the same fields one after another",
    unit: "ratio",
    must: 1.3,
    command: "make bench NAME=cobbler-systems",
    measure: overBare,
  },
];
