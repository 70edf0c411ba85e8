import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { z } from "zod";
import { allDefinitions, type Definition } from "../../../providers/kernel/index.ts";
import { journalFields, journalPage } from "../../../tools/journal.ts";
import { argumentRows, resourcesPage, shapeText } from "../../../tools/resources.ts";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../../..", file), "utf8");

const definition = (inputs: z.ZodObject, replaceOn: string[] = []) => ({ inputs, replaceOn }) as unknown as Definition;

test("docs/resources.md is what the definitions say today", () => {
  expect(read("docs/resources.md")).toBe(resourcesPage());
});

test("docs/journal.md is what the journal's type says today", () => {
  expect(read("docs/journal.md")).toBe(journalPage());
});

test("every defined resource has a section, and every argument, however deep, and every output a meaning", () => {
  expect(allDefinitions().length).toBeGreaterThan(6);
  const page = resourcesPage();
  const unexplained: string[] = [];
  for (const one of allDefinitions()) {
    expect(page).toContain(`\n## ${one.type}\n`);
    for (const row of argumentRows(one)) if (row.description === "") unexplained.push(`${one.type} ${row.path}`);
    for (const [name, text] of Object.entries(one.outputs)) if (text === "") unexplained.push(`${one.type} ${name}`);
  }
  expect(unexplained).toEqual([]);
});

test("an argument that replaces, a secret one, a unit and a nested one show in their columns", () => {
  const rows = argumentRows(
    definition(
      z.object({
        name: z.string(),
        password: z.string().meta({ secret: true }),
        waitSeconds: z.number().positive().default(5),
        size: z.number().optional().meta({ unit: "MiB" }),
        nics: z.array(z.object({ mac: z.string().describe("The MAC.") })),
      }),
      ["name", "nics"],
    ),
  );
  const by = Object.fromEntries(rows.map((row) => [row.path, row]));
  expect(Object.keys(by)).toEqual(["name", "password", "waitSeconds", "size", "nics", "nics[].mac"]);
  expect(by.name).toMatchObject({ replaces: true, secret: false, fallback: "required" });
  expect(by.password).toMatchObject({ replaces: false, secret: true });
  expect(by.waitSeconds).toMatchObject({ unit: "seconds", fallback: "`5`", shape: "number > 0" });
  expect(by.size).toMatchObject({ unit: "MiB", fallback: "optional" });
  expect(by["nics[].mac"]).toMatchObject({ replaces: true, description: "The MAC." });
});

test.each([
  ["an unlimited integer", z.int(), "integer"],
  ["a limited integer", z.int().min(1).max(9), "integer ≥ 1, ≤ 9"],
  ["a choice", z.enum(["off", "leave"]), "`off` or `leave`"],
  ["a list that needs a member", z.array(z.ipv4()).min(1), "non-empty list of IPv4 address"],
  ["a map", z.record(z.string(), z.string()), "map of name to text"],
  ["one of two shapes", z.union([z.string(), z.boolean()]), "text or true or false"],
  ["a shape that JSON schema cannot say", z.custom<string>(), "text"],
])("%s is put in words", (_, schema, words) => {
  expect(shapeText(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Parameters<typeof shapeText>[0])).toBe(words);
});

test("every field of the journal is explained", () => {
  expect(journalFields().filter((field) => field.description === "")).toEqual([]);
});

test("a journal type that was renamed is an error, not an empty page", () => {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  const file = join(folder, "journal.ts");
  writeFileSync(file, "export interface Line { time: string }\n");
  expect(() => journalFields(file)).toThrow("has no interface JournalEntry");
  rmSync(folder, { recursive: true });
});
