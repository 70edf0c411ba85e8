import type { Figure, Sample } from "../figure.ts";
import { Installs } from "../installs.ts";
import { ensureLab } from "../place.ts";
import { BenchProject, withUp } from "../project.ts";

/** What an `up` costs that installs nothing. */
async function emptyUp(): Promise<number> {
  await ensureLab();
  return withUp(new BenchProject("empty", 1, 4), async (up) => up.seconds);
}

async function overChain(): Promise<Sample> {
  const empty = await emptyUp();
  const installs = new Installs();
  const { seconds, chain } = await installs.within(() => installs.newGeneration("2"));
  return { value: (seconds - empty) / chain, parts: { up: seconds, empty, chain } };
}

async function overBare(): Promise<Sample> {
  const installs = new Installs();
  return installs.within(async () => {
    const { seconds } = await installs.newGeneration("2");
    const bare = await installs.bare();
    return { value: seconds / bare, parts: { up: seconds, bare } };
  });
}

export const installFigures: Figure[] = [
  {
    id: "installs-chain",
    what: "`up --skip-preview` of a new generation of 4 QEMU hosts, minus that of one empty resource / longest chain of operations",
    unit: "ratio",
    must: 1.05,
    command: "node bench/main.ts --only installs-chain",
    measure: overChain,
  },
  {
    id: "installs-bare",
    what: "the same `up` / a bare shell script doing the same four installs at once",
    unit: "ratio",
    must: 1.2,
    command: "node bench/main.ts --only installs-bare",
    measure: overBare,
  },
];
