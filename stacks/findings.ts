/** One fault of the inputs, where it stands and how to mend it. */
export interface Finding {
  file: string;
  /** Counted from 1. */
  line: number;
  column: number;
  /** Stable, listed in docs/error-codes.md. */
  code: FindingCode;
  severity: "error" | "warning";
  what: string;
  /** Why it matters. */
  why: string;
  remedy: string;
  /** The line of the file, for the caret. */
  sourceLine?: string;
}

/** Every code: what it stands for, and how such a fault is mended. */
export const findingCodes = {
  TB100: { means: "a file cannot be read", remedy: "create it, or correct the name where it is used" },
  TB101: {
    means: "a file is not well-formed: syntax, a key that stands twice, an alias, what is not text",
    remedy: "correct the syntax at the place; write out what an alias stands for",
  },
  TB102: {
    means: "a key is unknown (a warning in a marvin configuration, whose dialect has no schema)",
    remedy: "correct the spelling, or remove the key",
  },
  TB103: { means: "a value is missing or has the wrong form", remedy: "give it a value of the form that the finding says" },
  TB104: {
    means: "a key of a marvin configuration is read by nothing: neither by this project nor by marvin and its tests (a warning)",
    remedy: "remove it, or correct what the finding says about it",
  },
  TB110: { means: "two things share a MAC, an address, a name or a BMC", remedy: "give each its own" },
  TB111: {
    means: "an address or a gateway lies outside its network, or is the network or broadcast address",
    remedy: "correct the address or the network",
  },
  TB112: { means: "a name is used that nothing defines", remedy: "correct the name, or define it in the inventory" },
  TB113: {
    means: "a fixed address lies inside a range from which addresses are given out",
    remedy: "move the address, or shorten the range",
  },
  TB114: {
    means: "networks or dynamic ranges of the inventory overlap, are upside down, or lie outside their network",
    remedy: "separate them; write the first address before the last",
  },
  TB115: {
    means: "a machine cannot have the certificate that puppet needs",
    remedy: "write its name in lower case, and give its network a domain",
  },
  TB116: {
    means: "BMCs of a real site are asked faster than they bear (a warning)",
    remedy: "leave `limits.bmcPacingSeconds` at 5 or above",
  },
  TB120: {
    means: "a host of the marvin configuration is not in the inventory",
    remedy: "add the machine to the inventory, or name one that is there",
  },
  TB121: {
    means: "a machine that is not active, or not meant for it, is used",
    remedy: "correct its state or roles, or take another machine",
  },
  TB122: {
    means: "a hypervisor or a distro has no profile, so it is unknown what its machines get installed",
    remedy: "add the profile under `profiles`",
  },
  TB123: {
    means: "address or VLAN ranges of the marvin configuration overlap, are upside down, or lie outside their network",
    remedy: "separate the ranges; write the first before the last",
  },
  TB124: {
    means: "the management server of the marvin configuration is not the one of the inventory",
    remedy: "name a machine of the inventory, with its own address",
  },
  TB125: { means: "a range is too small for what its zone needs", remedy: "extend the range" },
  TB126: { means: "a host lies outside its pod's network", remedy: "put the host into a pod of its own network, or correct the pod" },
  TB127: {
    means: "a store lies outside the allowed roots, or on no server of the inventory",
    remedy: "move the store below one of the server's `roots`, or add the server to `nfsServers`",
  },
  TB128: { means: "two stores are one directory, or one lies inside the other", remedy: "give each store a directory of its own" },
  TB129: {
    means: "an active hypervisor of the inventory is used by no marvin configuration (a warning)",
    remedy: "use it, or make it a spare",
  },
  TB130: { means: "a secret is missing", remedy: "pulumi config set --secret --path credentials.<name>.<field>" },
  TB131: {
    means: "a password stands in clear text (a warning in a marvin configuration)",
    remedy: "change the password, and encrypt it in the stack's configuration; in a marvin file write a placeholder that names it",
  },
  TB140: {
    means: "a machine's firmware cannot boot what its profile installs",
    remedy: "add the boot loader to the distro, or correct the machine's `firmware`",
  },
  TB150: {
    means: "a zone of the marvin configuration is not one that the server takes, or would take for what is meant",
    remedy: "correct what the finding says: kinds of traffic, networks, hypervisors, stores, addresses of guests",
  },
} as const;

export type FindingCode = keyof typeof findingCodes;

/** As compilers print: place, code, what; the source line with a caret; why and the remedy. */
export function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map((one) => {
      const lines = [`${one.file}:${one.line}:${one.column}: ${one.severity} ${one.code}: ${one.what}`];
      if (one.sourceLine !== undefined) lines.push(...excerpt(one.sourceLine, one.column - 1));
      lines.push(`  why: ${one.why}`, `  remedy: ${one.remedy}`);
      return lines.join("\n");
    })
    .join("\n\n");
}

const WIDTH = 160;

/** The part of a line that shows the column, and a caret below it. Tabs stay, so that the caret stands right in any terminal. */
function excerpt(line: string, column: number): string[] {
  const from = column < WIDTH ? 0 : column - WIDTH / 2;
  const shown = line.slice(from, from + WIDTH);
  const blanks = line
    .slice(from, column)
    .replace(/[^\t]/g, " ")
    .padEnd(column - from);
  return [`    ${shown}`, `    ${blanks}^`];
}

/** By file and place; each once. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const unique = new Map(findings.map((one) => [`${one.file}:${one.line}:${one.column} ${one.code} ${one.what}`, one]));
  return [...unique.values()].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column || a.code.localeCompare(b.code),
  );
}
