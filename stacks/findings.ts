/** One fault of the inputs, where it stands and how to mend it. */
export interface Finding {
  file: string;
  /** Counted from 1. */
  line: number;
  column: number;
  /** Stable, listed in docs/error-codes.md. */
  code: string;
  severity: "error" | "warning";
  what: string;
  /** Why it matters. */
  why: string;
  remedy: string;
  /** The line of the file, for the caret. */
  sourceLine?: string;
}

/** Every code with what it stands for. */
export const findingCodes = {
  TB100: "the file cannot be read",
  TB101: "the file is not well-formed",
  TB102: "a key is unknown",
  TB103: "a value is missing or has the wrong form",
  TB110: "two things share a MAC, an address, a name or a BMC",
  TB111: "an address lies outside its network, or is one that no machine can have",
  TB112: "a name is used that nothing defines",
  TB120: "a host of the marvin configuration is not in the inventory",
  TB121: "a machine that is not active is used",
  TB122: "a cluster's hypervisor has no profile",
  TB123: "address or VLAN ranges of the marvin configuration overlap or are upside down",
  TB130: "a secret is missing",
  TB131: "a password stands in clear text",
} as const;

export type FindingCode = keyof typeof findingCodes;

/** As compilers print: place, code, what; the source line with a caret; why and the remedy. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map((one) => {
      const lines = [`${one.file}:${one.line}:${one.column}: ${one.severity} ${one.code}: ${one.what}`];
      if (one.sourceLine !== undefined)
        lines.push(`    ${one.sourceLine.slice(0, 160)}`, `    ${" ".repeat(Math.min(one.column - 1, 159))}^`);
      lines.push(`  why: ${one.why}`, `  remedy: ${one.remedy}`);
      return lines.join("\n");
    })
    .join("\n\n");
}
