// Writes the measurements of reports/bench.json into docs/figures.md, between its two marks: node bench/page.ts [JSON FILE]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { valueText } from "./figure.ts";
import { figures } from "./figures/index.ts";
import { checkout } from "./place.ts";
import { type Result, readResults } from "./results.ts";

const BEGIN = "<!-- measurements -->";
const END = "<!-- end of measurements -->";

const text = (value: number | undefined, unit: string) => valueText(value, unit);

function row(result: Result): string {
  const { id, what, unit, must, command, median, missed, samples, error } = result;
  const values = samples.map((one) => one.value);
  const range = values.length > 0 ? `${text(Math.min(...values), unit)} – ${text(Math.max(...values), unit)}` : (error ?? "none");
  const cells = [
    `\`${id}\``,
    what,
    `${text(median, unit)}${missed ? " **missed**" : ""}`,
    range,
    `≤ ${text(must, unit)}`,
    `\`${command}\``,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Every sample with its parts, one row of the table per line. */
function samplesOf({ id, measured, machine, samples }: Result): string {
  const short = (value: number) => Math.round(value * 100) / 100;
  const parts = samples.map((one) => ({
    value: short(one.value),
    ...Object.fromEntries(Object.entries(one.parts).map(([name, value]) => [name, short(value)])),
  }));
  return JSON.stringify({ id, measured, load: short(machine.load), samples: parts });
}

/** The part of the page between the marks. */
export function measurements(results: readonly Result[]): string {
  const ordered = figures.flatMap((figure) => results.filter((one) => one.id === figure.id));
  const machines = [...new Set(ordered.map(({ machine }) => `${machine.cpus} CPUs (${machine.model}), Node ${machine.node}`))];
  return [
    `Measured on ${machines.join("; ")}. Times are seconds, each line of the JSON below one row.`,
    "",
    "| row | what | median | range | must | command |",
    "| --- | --- | --- | --- | --- | --- |",
    ...ordered.map(row),
    "",
    "```json",
    ...ordered.map(samplesOf),
    "```",
  ].join("\n");
}

if (import.meta.main) {
  const page = join(checkout, "docs/figures.md");
  const [before = "", rest = ""] = readFileSync(page, "utf8").split(BEGIN);
  const after = rest.slice(rest.indexOf(END) + END.length);
  const results = readResults(process.argv[2] ?? join(checkout, "reports/bench.json"));
  if (results.length === 0) throw new Error("nothing has been measured: run `make bench` first");
  writeFileSync(page, `${before}${BEGIN}\n${measurements(results)}\n${END}${after}`);
}
