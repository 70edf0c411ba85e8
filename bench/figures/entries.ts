import { join } from "node:path";
import { type Figure, type Sample, sharedRun } from "../figure.ts";
import { benchHosts } from "../names.ts";
import { accounted, checkout, ensureLab, type Run, run } from "../place.ts";
import { BenchProject } from "../project.ts";
import { bareCobbler } from "./cobbler.ts";

/** Fewer, to try something out; the figures are those of 1,000. */
const HOSTS = Number(process.env.BENCH_HOSTS || 1000);
/** A system and a name entry per host; template, distro, profile and sync around them. */
const RESOURCES = 2 * HOSTS + 4;

function bareDnsmasq(verb: "add" | "remove"): Promise<Run> {
  const stdin = benchHosts(HOSTS)
    .map((host) => `${host.name} ${host.mac} ${host.address}\n`)
    .join("");
  return run(["sh", join(checkout, "bench/baseline/dnsmasq.sh"), verb], { inLab: true, stdin });
}

/** `up`, an unchanged preview and `destroy`. */
async function life(project: BenchProject) {
  await project.init();
  let peakMegabytes = 0;
  try {
    const up = await accounted(async () => {
      const ended = await project.up();
      ({ peakMegabytes } = ended);
      return ended;
    });
    const preview = await accounted(project.preview);
    return { up, preview, peakMegabytes, destroy: await accounted(project.destroy) };
  } catch (error) {
    await project.destroy();
    throw error;
  }
}

const lives = sharedRun(async () => {
  await ensureLab();
  const ours = await life(new BenchProject("entries", HOSTS, HOSTS));
  const empty = await life(new BenchProject("empty", RESOURCES, HOSTS));
  const bareAdd = (await bareCobbler("add", HOSTS)).writes + (await bareDnsmasq("add")).seconds;
  const bareRemove = (await bareDnsmasq("remove")).seconds + (await bareCobbler("remove", HOSTS)).writes;
  return { ours, empty, bareAdd, bareRemove };
});

async function lifeOfEntries(index: number): Promise<Sample> {
  const { ours, empty, bareAdd, bareRemove } = await lives(index);
  const value = (ours.up.wall + ours.destroy.wall) / (empty.up.wall + empty.destroy.wall + bareAdd + bareRemove);
  const cpu = { cpu: ours.up.cpu + ours.destroy.cpu, emptyCpu: empty.up.cpu + empty.destroy.cpu };
  const emptyParts = { emptyUp: empty.up.wall, emptyDestroy: empty.destroy.wall };
  return { value, parts: { up: ours.up.wall, destroy: ours.destroy.wall, ...emptyParts, bareAdd, bareRemove, ...cpu } };
}

async function unchangedPreview(index: number): Promise<Sample> {
  const { ours, empty } = await lives(index);
  const parts = { preview: ours.preview.wall, empty: empty.preview.wall, previewCpu: ours.preview.cpu, emptyCpu: empty.preview.cpu };
  return { value: parts.preview / parts.empty, parts };
}

async function providerMemory(index: number): Promise<Sample> {
  const { ours, empty } = await lives(index);
  return { value: ours.peakMegabytes, parts: { empty: empty.peakMegabytes } };
}

export const entryFigures: Figure[] = [
  {
    id: "entries",
    what: `cobbler, DNS and DHCP entries of ${HOSTS} hosts, \`up\` + \`destroy\` / as many empty dynamic resources + the bare writes`,
    unit: "ratio",
    must: 1.5,
    command: "make bench NAME=entries",
    measure: lifeOfEntries,
  },
  {
    id: "preview",
    what: `unchanged \`preview\` with ${HOSTS} hosts / as many empty dynamic resources`,
    unit: "ratio",
    must: 1.3,
    command: "make bench NAME=preview",
    measure: unchangedPreview,
  },
  {
    id: "memory",
    what: `provider process with ${HOSTS} hosts: resident memory, largest`,
    unit: "MB",
    must: 300,
    command: "make bench NAME=memory",
    measure: providerMemory,
  },
];
