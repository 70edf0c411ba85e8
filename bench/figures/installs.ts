import { type Figure, type Group, type Sample, sharedRun } from "../figure.ts";
import { bareInstalls, installsOnly } from "../installs.ts";
import { ensureLab } from "../place.ts";
import { BenchProject, withUp } from "../project.ts";
import type { StackRun } from "../stack-run.ts";

/** What an `up` costs that installs nothing. */
export async function emptyUp(): Promise<number> {
  await ensureLab();
  return withUp(new BenchProject("empty", 1, 4), async (up) => up.seconds);
}

let installs: StackRun | undefined;

/** The installed machines, which each sample installs anew. */
async function installedOnce(): Promise<StackRun> {
  if (installs) return installs;
  const fresh = installsOnly();
  installs = fresh;
  await fresh.begin();
  await fresh.up();
  return fresh;
}

const group: Group = {
  async end() {
    await installs?.end();
    installs = undefined;
  },
};

const newGeneration = sharedRun(async (index) => {
  const empty = await emptyUp();
  const stack = await installedOnce();
  stack.setGeneration(`${index + 2}`);
  const { seconds, chain } = await stack.up();
  return { up: seconds, empty, chain, bare: await bareInstalls(stack) };
});

async function overChain(index: number): Promise<Sample> {
  const parts = await newGeneration(index);
  return { value: (parts.up - parts.empty) / parts.chain, parts };
}

async function overBare(index: number): Promise<Sample> {
  const parts = await newGeneration(index);
  return { value: parts.up / parts.bare, parts };
}

export const installFigures: Figure[] = [
  {
    id: "installs-chain",
    what: "`up --skip-preview` of a new generation of 4 QEMU hosts, minus that of one empty resource / longest chain of operations",
    unit: "ratio",
    must: 1.05,
    command: "make bench NAME=installs-chain",
    group,
    measure: overChain,
  },
  {
    id: "installs-bare",
    what: "the same `up` / a bare shell script doing the same four installs at once",
    unit: "ratio",
    must: 1.2,
    command: "make bench NAME=installs-bare",
    group,
    measure: overBare,
  },
];
