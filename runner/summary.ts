import type { CaseResult } from "./case.ts";

/** Results for a reader: what is wrong first, then one line of counts. */
export function summarize(results: readonly CaseResult[]): string {
  const bad = results.filter((result) => result.verdict !== "ok");
  const lines = bad.map(
    (result) => `${result.verdict === "failed" ? "FAILED" : "ERROR "} ${result.host}: ${result.name}\n       ${result.message ?? ""}`,
  );
  const hosts = new Set(results.map((result) => result.host));
  const badHosts = new Set(bad.map((result) => result.host));
  lines.push(
    `machines and stores: ${hosts.size - badHosts.size} of ${hosts.size} proved; ${results.length - bad.length} of ${results.length} checks passed`,
  );
  return `${lines.join("\n")}\n`;
}

/** No answer weighs more than a wrong one: what was not seen cannot be judged. */
export function suiteStatus(results: readonly CaseResult[]): 0 | 1 | 3 {
  if (results.some((result) => result.verdict === "error")) return 3;
  if (results.length === 0) return 3;
  return results.some((result) => result.verdict === "failed") ? 1 : 0;
}
