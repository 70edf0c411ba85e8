import { readFileSync } from "node:fs";
import { join } from "node:path";
import { labStatus } from "../../lab/index.ts";
import type { Figure, Sample } from "../figure.ts";
import { benchLab, endLab, ensureLab, treeMegabytes } from "../place.ts";

async function timed(action: () => Promise<unknown>): Promise<Sample> {
  const began = performance.now();
  await action();
  return { value: (performance.now() - began) / 1000, parts: {} };
}

async function start(): Promise<Sample> {
  await endLab();
  return timed(ensureLab);
}

async function stop(): Promise<Sample> {
  await ensureLab();
  return timed(endLab);
}

/** Every process of the lab, with all hosts off. */
async function memory(): Promise<Sample> {
  await ensureLab();
  const on = (await labStatus(benchLab)).hosts.filter((host) => host.power === "on").length;
  const { pid } = JSON.parse(readFileSync(join(benchLab.state, "holder.json"), "utf8")) as { pid: number };
  return { value: treeMegabytes(pid), parts: { hostsOn: on } };
}

export const labFigures: Figure[] = [
  { id: "lab-start", what: "lab: start", unit: "s", must: 20, command: "testbed lab stop; time testbed lab start --light", measure: start },
  {
    id: "lab-memory",
    what: "lab: memory at rest, four hosts off (proportional: a shared page counts once)",
    unit: "MB",
    must: 400,
    command: "make bench NAME=lab-memory",
    measure: memory,
  },
  { id: "lab-stop", what: "lab: stop", unit: "s", must: 5, command: "time testbed lab stop", measure: stop },
];
