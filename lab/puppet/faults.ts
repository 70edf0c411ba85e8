import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the emulator finds what it shall do wrong: one file per fault, its text the remaining count. */
export const puppetFaults = "/run/testbed-puppet";

/** What goes wrong with one host's agent. */
export const agentFaults = {
  "certificate-conflict": "the CA has a certificate of the host's name that is for another key",
  "run-fails": "two resources of the puppet run fail",
  "run-hangs": "the puppet run never ends",
  "agent-running": "another run of the agent begins first, and takes that many seconds (default 3)",
  "catalog-fails": "the master cannot compile the catalog",
} as const;
export type AgentFault = keyof typeof agentFaults;

/** What the driver's puppet is, or does wrong. */
export const masterFaults = {
  forbidden: "the CA refuses the driver's own certificate",
  "no-autosign": "requests wait until they are signed",
  "release-3": "the driver has puppet 3: `puppet cert`, and no puppetserver",
  "api-only": "the driver has no puppet command: only the CA's HTTP API",
} as const;
export type MasterFault = keyof typeof masterFaults;

const fileOf = (fault: string, host?: string) => join(puppetFaults, host === undefined ? fault : `${fault}@${host}`);

export function setPuppetFault(fault: AgentFault | MasterFault, host?: string, value = "1"): void {
  mkdirSync(puppetFaults, { recursive: true });
  writeFileSync(fileOf(fault, host), value);
}

export function clearPuppetFaults(host?: string): void {
  if (!existsSync(puppetFaults)) return;
  for (const name of readdirSync(puppetFaults))
    if (host === undefined ? !name.includes("@") : name.endsWith(`@${host}`)) rmSync(join(puppetFaults, name));
}

/** The text of a fault that is on. */
export function puppetFault(fault: AgentFault | MasterFault, host?: string): string | undefined {
  const file = fileOf(fault, host);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/** Like `puppetFault`, and the fault ends with it. */
export function takePuppetFault(fault: AgentFault, host: string): string | undefined {
  const value = puppetFault(fault, host);
  if (value !== undefined) rmSync(fileOf(fault, host));
  return value;
}
