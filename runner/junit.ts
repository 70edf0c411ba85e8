import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { create } from "xmlbuilder2";
import type { CaseResult } from "./case.ts";

/** Results as JUnit XML, with what describes the run as properties. */
export function junitXml(suite: string, results: readonly CaseResult[], properties: Readonly<Record<string, string>>): string {
  const count = (verdict: CaseResult["verdict"]) => results.filter((result) => result.verdict === verdict).length;
  const totals = {
    tests: results.length,
    failures: count("failed"),
    errors: count("error"),
    time: Math.max(0, ...results.map((result) => result.seconds)).toFixed(3),
  };
  const root = create({ version: "1.0", encoding: "UTF-8", invalidCharReplacement: "\uFFFD" }).ele("testsuites", totals);
  const element = root.ele("testsuite", { name: suite, ...totals });
  const list = element.ele("properties");
  for (const [name, value] of Object.entries(properties)) list.ele("property", { name, value });
  for (const result of results) {
    const test = element.ele("testcase", { classname: `${suite}.${result.host}`, name: result.name, time: result.seconds.toFixed(3) });
    const message = result.message ?? "";
    const [line = ""] = message.split("\n");
    if (result.verdict === "failed") test.ele("failure", { message: line, type: "difference" }).txt(message);
    if (result.verdict === "error") test.ele("error", { message: line, type: "infrastructure" }).txt(message);
  }
  return `${root.end({ prettyPrint: true })}\n`;
}

/** Writes a file so that a reader sees the old or the new one, never half. */
export function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
