// Measures the figures of the project: node bench/main.ts [--times N] [--only ID…] [--json FILE]
import { mkdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { table } from "../cli/table.ts";
import { type Measured, measure, valueText } from "./figure.ts";
import { figures } from "./figures/index.ts";
import { benchFolder, checkout, endLab } from "./place.ts";
import { writeResult } from "./results.ts";

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be a whole number above 0");
  return value;
}

const program = new Command("bench")
  .description(
    "Measures each figure several times and prints the median beside what it must be. Needs root, and a machine with nothing else to do. " +
      `Rows: ${figures.map((figure) => figure.id).join(", ")}. Status 1: a row misses its must.`,
  )
  .option("--times <n>", "measurements of each row", positive, 5)
  .option("--only <id...>", "these rows only")
  .option("--json <file>", "where the measurements go; other rows in it stay", join(checkout, "reports/bench.json"))
  .action(main);

async function main(options: { times: number; only?: string[]; json: string }): Promise<void> {
  const unknown = options.only?.filter((id) => !figures.some((figure) => figure.id === id)) ?? [];
  if (unknown.length > 0)
    program.error(`no row ${unknown.join(", ")}; rows are ${figures.map((figure) => figure.id).join(", ")}`, { exitCode: 2 });
  mkdirSync(benchFolder, { recursive: true });
  const chosen = figures.filter((figure) => options.only?.includes(figure.id) ?? true);
  const results: Measured[] = [];
  try {
    for (const [index, figure] of chosen.entries()) {
      process.stderr.write(`${figure.id}: ${figure.what}\n`);
      const result = await measure(figure, options.times, (sample) =>
        process.stderr.write(`  ${valueText(sample.value, figure.unit)}  ${JSON.stringify(rounded(sample.parts))}\n`),
      );
      if (result.error) process.stderr.write(`  failed: ${result.error}\n`);
      results.push(result);
      const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? "unknown", node: process.version, load: loadavg()[0] ?? 0 };
      writeResult(options.json, { ...result, measured: new Date().toISOString(), machine });
      if (chosen[index + 1]?.group !== figure.group) await figure.group?.end();
    }
  } finally {
    await endLab();
  }
  const rows = results.map((one) => [
    one.missed ? "MISSED" : "ok",
    one.what,
    valueText(one.median, one.unit),
    `≤ ${valueText(one.must, one.unit)}`,
    one.command,
  ]);
  process.stdout.write(table([["", "FIGURE", `MEDIAN OF ${options.times}`, "MUST", "COMMAND"], ...rows]));
  process.exitCode = results.some((one) => one.missed) ? 1 : 0;
}

function rounded(parts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, Math.round(value * 100) / 100]));
}

await program.parseAsync();
