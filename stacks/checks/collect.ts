import type { Finding, FindingCode } from "../findings.ts";
import type { FindingText, Path, Source } from "../sources/index.ts";

/** Collects the findings of one check; `add` places each in its source. */
export function collector(): { findings: Finding[]; add(source: Source, code: FindingCode, path: Path, text: FindingText): void } {
  const findings: Finding[] = [];
  return { findings, add: (source, code, path, text) => void findings.push(source.finding(code, path, text)) };
}
