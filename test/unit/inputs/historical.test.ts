// What the historical lab's own records got wrong: each disagreement put back into the mended site, and what is then found.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { loadInputs } from "../../../stacks/load.ts";
import { checkout, inFolder } from "./change.ts";

interface Fixture {
  disagreement: string;
  edits: { file: string; from: string; to: string }[];
  /** Every finding, in order; `line` is a part of the reported line, `remedy` of the remedy. */
  findings: { code: string; file: string; line: string; remedy: string }[];
}

const folder = join(checkout, "test/fixtures/historical");
const fixtures = readdirSync(folder)
  .sort()
  .map((name): [string, Fixture] => [name, parse(readFileSync(join(folder, name), "utf8")) as Fixture]);

test("all eight are there", () => {
  expect(fixtures.map(([name]) => name[0])).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
});

test.each(fixtures)("%s", (_, fixture) => {
  inFolder((site) => {
    for (const { file, from, to } of fixture.edits) {
      const before = readFileSync(join(site, file), "utf8");
      expect(before).toContain(from);
      writeFileSync(
        join(site, file),
        before.replace(from, () => to),
      );
    }
    const { findings, plan } = loadInputs(site, { stack: "acs-qa-kvm" });
    const line = (file: string, number: number) => readFileSync(join(site, file), "utf8").split("\n")[number - 1];
    expect(findings.map(({ code, file }) => ({ code, file }))).toEqual(fixture.findings.map(({ code, file }) => ({ code, file })));
    fixture.findings.forEach((expected, index) => {
      const found = findings[index];
      expect(line(expected.file, found?.line ?? 0)).toContain(expected.line);
      expect(found?.remedy).toContain(expected.remedy);
    });
    expect(plan).toBeUndefined();
  });
});
