// Every code that a provider's error can carry has a row, and no row is about a code that is gone.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const checkout = join(import.meta.dirname, "../../..");
const page = readFileSync(join(checkout, "docs/when-something-fails.md"), "utf8");

const sources = readdirSync(join(checkout, "providers"), { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(ts|sh)$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(checkout, "providers", file), "utf8") }));

const found = (pattern: RegExp, only = /./) =>
  sources.filter(({ file }) => only.test(file)).flatMap(({ text }) => [...text.matchAll(pattern)].map((match) => match[1] as string));

/** The codes in the sources, however they come to be an error's. */
const codes = new Set([
  ...found(/\bcode: "([\w-]+)"/g).filter((code) => code !== "custom"), // zod's own
  ...found(/\bcode: \S+ \? "([\w-]+)"/g),
  ...found(/\bcode: \S+ \? "[\w-]+" : "([\w-]+)"/g),
  ...found(/\bfail\(\s*"([\w-]+)"/g, /^puppet\//),
  ...found(/\bfailure\(inputs, "([\w-]+)"/g, /^puppet\//),
  ...found(/reason\?\.code \?\? "([\w-]+)"/g),
  ...found(/error\.code \?\? "([\w-]+)"/g),
  ...found(/progress\.code \|\| "([\w-]+)"/g),
  ...found(/\b(?:refuse|give_up) ([a-z-]+) /g, /\.sh$/),
  ...found(/errorcode: (\d+)/g),
  ...found(/^ {4}?\s*"?(\b[A-Z][A-Z_]+[A-Z]\b)/gm, /^xenserver\/errors\.ts$/),
  ...found(/all\(\s*"([^"]+)"/g, /^xenserver\/errors\.ts$/).flatMap((names) => names.split(" ")),
  ...found(/type CleanOutcome = (.*);/g).flatMap((line) => line.match(/forbidden|unexpected/g) ?? []),
]);

/** Codes whose end the remote system gives. */
const families = ["exit-<status>", "sftp-<status>", "SR_BACKEND_FAILURE_<number>"];

const rows = page.split("\n").filter((line) => /^\| (?!---|the message says|kind)/.test(line));
const documented = new Set(
  rows.flatMap((row) => [...(row.split(" | ").at(-1) ?? "").matchAll(/`([\w-]+(?:<\w+>)?)`/g)].map((match) => match[1] as string)),
);

test("every code of the providers has a row with its remedy", () => {
  expect(codes.size).toBeGreaterThan(120);
  expect([...codes].filter((code) => !documented.has(code)).sort()).toEqual([]);
});

test("no row is about a code that no provider has", () => {
  const text = sources.map((source) => source.text).join("\n");
  const gone = [...documented].filter((code) => !codes.has(code) && !families.includes(code) && !new RegExp(`\\b${code}\\b`).test(text));
  expect(gone).toEqual([]);
});

test("every row says what to do", () => {
  expect(rows.filter((row) => row.split("|").length !== 5 || (row.split("|")[2] ?? "").trim() === "")).toEqual([]);
});

test("every kind of failure is explained", () => {
  const [, union = ""] = /type FailureKind = ([^;]*);/.exec(sources.find((one) => one.file === "kernel/errors.ts")?.text ?? "") ?? [];
  const kinds = union.match(/\w+/g) ?? [];
  expect(kinds.length).toBe(5);
  for (const kind of kinds) expect(page).toContain(`| \`${kind}\` |`);
});
