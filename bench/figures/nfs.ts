import { join } from "node:path";
import type { Figure, Sample } from "../figure.ts";
import { checkout, ensureLab, run } from "../place.ts";

/** What the wiping of any store costs besides the deletion: a connection, the guards, the marker. */
const WIPE_ALLOWANCE_SECONDS = 0.5;

async function program(what: "wipe" | "seed"): Promise<Record<string, number>> {
  await ensureLab();
  const { output } = await run([process.execPath, join(checkout, "bench/nfs-program.ts"), what], { inLab: true });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Record<string, number>;
}

async function wipe(): Promise<Sample> {
  const parts = await program("wipe");
  return { value: Math.max(0, (parts.ours ?? 0) - WIPE_ALLOWANCE_SECONDS) / (parts.bare ?? 0), parts };
}

async function seed(): Promise<Sample> {
  const { ours = 0, ...alone } = await program("seed");
  return { value: ours / Math.max(...Object.values(alone)), parts: { ours, ...alone } };
}

export const nfsFigures: Figure[] = [
  {
    id: "wipe",
    what: "wiping a store with 100,000 files, less 0.5 s / `find -delete` alone",
    unit: "ratio",
    must: 1.2,
    command: "make bench NAME=wipe",
    measure: wipe,
  },
  {
    id: "seed",
    what: "a template of 2 GB fetched, unpacked, checked and written as one stream / the slowest of these four alone",
    unit: "ratio",
    must: 1.25,
    command: "make bench NAME=seed",
    measure: seed,
  },
];
