import { join } from "node:path";
import type { Figure, Sample } from "../figure.ts";
import { benchHosts } from "../names.ts";
import { checkout, ensureLab, run } from "../place.ts";
import { BenchProject, withUp } from "../project.ts";
import { bareCobbler } from "./cobbler.ts";

const HOSTS = 1000;
/** A system and a name entry per host; template, distro, profile and sync around them. */
const RESOURCES = 2 * HOSTS + 4;

async function bareDnsmasq(verb: "add" | "remove"): Promise<number> {
  const stdin = benchHosts(HOSTS)
    .map((host) => `${host.name} ${host.mac} ${host.address}\n`)
    .join("");
  return (await run(["sh", join(checkout, "bench/baseline/dnsmasq.sh"), verb], { inLab: true, stdin })).seconds;
}

async function upAndDestroy(project: BenchProject): Promise<{ up: number; destroy: number }> {
  const up = await withUp(project, async (one) => one.seconds);
  return { up, destroy: project.lastSeconds };
}

async function lifeOfEntries(): Promise<Sample> {
  await ensureLab();
  const ours = await upAndDestroy(new BenchProject("entries", HOSTS, HOSTS));
  const empty = await upAndDestroy(new BenchProject("empty", RESOURCES, HOSTS));
  const bareAdd = (await bareCobbler("add", HOSTS)) + (await bareDnsmasq("add"));
  const bareRemove = (await bareDnsmasq("remove")) + (await bareCobbler("remove", HOSTS));
  const value = (ours.up + ours.destroy) / (empty.up + empty.destroy + bareAdd + bareRemove);
  const parts = { up: ours.up, destroy: ours.destroy, emptyUp: empty.up, emptyDestroy: empty.destroy, bareAdd, bareRemove };
  return { value, parts };
}

async function unchangedPreview(): Promise<Sample> {
  await ensureLab();
  const entries = new BenchProject("entries", HOSTS, HOSTS);
  const ours = await withUp(entries, async () => (await entries.preview()).seconds);
  const nothing = new BenchProject("empty", RESOURCES, HOSTS);
  const empty = await withUp(nothing, async () => (await nothing.preview()).seconds);
  return { value: ours / empty, parts: { preview: ours, empty } };
}

async function providerMemory(): Promise<Sample> {
  await ensureLab();
  return withUp(new BenchProject("entries", HOSTS, HOSTS), async (up) => ({ value: up.peakMegabytes, parts: { up: up.seconds } }));
}

export const entryFigures: Figure[] = [
  {
    id: "entries",
    what: `cobbler, DNS and DHCP entries of ${HOSTS} hosts, \`up\` + \`destroy\` / as many empty dynamic resources + the bare writes`,
    unit: "ratio",
    must: 1.5,
    command: "node bench/main.ts --only entries",
    measure: lifeOfEntries,
  },
  {
    id: "preview",
    what: `unchanged \`preview\` with ${HOSTS} hosts / as many empty dynamic resources`,
    unit: "ratio",
    must: 1.3,
    command: "node bench/main.ts --only preview",
    measure: unchangedPreview,
  },
  {
    id: "memory",
    what: `provider process with ${HOSTS} hosts: resident memory, largest`,
    unit: "MB",
    must: 300,
    command: "node bench/main.ts --only memory",
    measure: providerMemory,
  },
];
