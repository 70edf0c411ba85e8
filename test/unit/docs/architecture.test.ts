// The picture names folders and files of the checkout; a renamed one must not stay in it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const checkout = join(import.meta.dirname, "../../..");
const page = readFileSync(join(checkout, "docs/architecture.md"), "utf8");
const providerFolders = readdirSync(join(checkout, "providers"), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

test("every folder that the page names in code exists", () => {
  const named = [...page.matchAll(/`([a-z][a-z/-]*\/)`/g)].map((match) => match[1] as string);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((folder) => !existsSync(join(checkout, folder)))).toEqual([]);
});

test("every provider folder is in the picture", () => {
  expect(providerFolders.filter((folder) => !page.includes(`${folder}/`))).toEqual([]);
});

test.each(["stacks/load.ts", "stacks/plan.ts", "stacks/environment.ts", "providers/runtime.ts"])(
  "%s, which the picture names, exists",
  (file) => {
    expect(page).toContain(file.split("/").at(-1));
    expect(existsSync(join(checkout, file))).toBe(true);
  },
);

/** Imports of a folder's files that lead into another folder of the checkout. */
function importsInto(from: string, into: string): string[] {
  return readdirSync(join(checkout, from), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => new RegExp(`from "(\\.\\./)+${into}/`).test(readFileSync(join(checkout, from, file), "utf8")))
    .map((file) => `${from}/${file}`);
}

test.each([
  ["lab", "providers"],
  ["providers", "lab"],
  ["providers", "stacks"],
  ["providers", "cli"],
  ["stacks", "runner"],
])("%s imports nothing of %s", (from, into) => {
  expect(importsInto(from, into)).toEqual([]);
});
