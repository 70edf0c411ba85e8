import { createHash } from "node:crypto";
import { z } from "zod";
import { type CobblerConnection, connectionSchema } from "../cobbler/index.ts";
import type { Context } from "../kernel/index.ts";
import { type ClockLimits, clockLimitsSchema, driverSchema } from "../site/index.ts";
import type { LogPlace } from "./driver-logs.ts";
import type { Phase } from "./phases.ts";
import { type Identity, readIdentity } from "./proof.ts";

/** What every machine that cobbler installs has in common, whatever it is switched by. */
export interface InstallationInputs {
  name: string;
  address: string;
  mac: string;
  cobbler: CobblerConnection;
  system: string;
  profile: string;
  os: { id: string; version: string };
  generation: string;
  installs: string;
  ssh: { user: string; credential: string };
  logs?: LogPlace | undefined;
  clock?: ClockLimits | undefined;
  installSeconds: number;
  simultaneousInstalls: number;
}

export interface InstallationOutputs {
  tokenFingerprint: string;
  hostKey: string;
  osRelease: string;
  installedAt: string;
  installed: string;
  phases: Phase[];
}

/** The schema of the inputs, for the resources' own schemas. */
export const installationInputs = {
  name: z.string().describe("Host name."),
  address: z.ipv4().describe("Address of the installed system."),
  mac: z
    .string()
    .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be six lower-case hexadecimal bytes with colons")
    .describe("MAC address of the interface that boots, as the driver's logs name it."),
  cobbler: connectionSchema.describe("The cobbler server that installs it."),
  system: z.string().describe("Name of its cobbler system."),
  profile: z.string().describe("The profile that must be installed."),
  os: z
    .object({
      id: z.string().describe("ID, as `debian` or `rocky`."),
      version: z.string().describe("VERSION_ID, as `12` or `9.4`."),
    })
    .describe("What /etc/os-release must say: ID and VERSION_ID."),
  generation: z.string().min(1).describe("A new generation means a new installation."),
  installs: z.string().describe("Fingerprint of what the profile installs; a change means a new installation."),
  ssh: z
    .object({
      user: z.string().describe("The account."),
      credential: z.string().describe("Name of the credential (`privateKey`) in the stack configuration."),
    })
    .describe("Account of the installed system."),
  logs: z
    .object({
      server: driverSchema.describe("The driver, on which they are read."),
      dnsmasq: z.string().startsWith("/").optional().describe("Path of dnsmasq's log: DHCP and TFTP. Left out, that part is unknown."),
      web: z.string().startsWith("/").optional().describe("Path of the web server's access log. Left out, that part is unknown."),
    })
    .optional()
    .describe("The driver's logs of dnsmasq and of cobbler's web server: they tell how far a network boot got. None are needed."),
  clock: clockLimitsSchema.optional().describe("How its clock is proved after the installation; left out, nobody looks at it."),
  installSeconds: z
    .number()
    .positive()
    .default(1800)
    .describe("Limit of one installation, from power on to the proof; a network boot that gets lost is noticed after a third of it."),
  simultaneousInstalls: z.number().int().positive().default(8).describe("How many machines the driver may install at the same time."),
};

/** The documentation of the outputs. */
export const installationOutputs: Record<keyof InstallationOutputs, string> = {
  tokenFingerprint: "First 16 hexadecimal digits of the SHA-256 of the install token.",
  hostKey: "The SSH host key, pinned since the proof.",
  osRelease: "ID and VERSION_ID of /etc/os-release.",
  installedAt: "When the installation was proved (ISO 8601, UTC).",
  installed: "Generation, profile and fingerprint of the proved installation.",
  phases: "Phases of the installation with their seconds.",
};

/** The token itself is never in the state; its fingerprint is enough to recognise it. */
export function tokenFingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 16);
}

/** What must be equal for an installation to count as the wanted one. */
export const wantedInstallation = (inputs: InstallationInputs) => `${inputs.generation} ${inputs.profile} ${inputs.installs}`;

/** What a system says of itself otherwise than wanted: `profile: expected lab-kvm, seen lab-xen`. */
export function differences(inputs: InstallationInputs, seen: Identity): string[] {
  const checks: [string, string, string][] = [
    ["profile", inputs.profile, seen.profile],
    ["generation", inputs.generation, seen.generation],
    ["operating system", `${inputs.os.id} ${inputs.os.version}`, `${seen.osId} ${seen.osVersion}`],
    ["host name", inputs.name, seen.hostName.split(".")[0] ?? ""],
  ];
  return checks.flatMap(([what, wanted, found]) =>
    wanted === found ? [] : [`${what}: expected ${wanted}, seen ${found.trim() || "nothing"}`],
  );
}

export function identityOf(context: Context, inputs: InstallationInputs, hostKey?: string): Promise<Identity> {
  const { privateKey = "" } = context.credential(inputs.ssh.credential);
  return readIdentity({ address: inputs.address, user: inputs.ssh.user, privateKey, ...(hostKey ? { hostKey } : {}) });
}

export function outputs(inputs: InstallationInputs, seen: Identity, phases: Phase[]): InstallationOutputs {
  return {
    tokenFingerprint: tokenFingerprint(seen.token),
    hostKey: seen.hostKey,
    osRelease: `${seen.osId} ${seen.osVersion}`,
    installedAt: new Date().toISOString(),
    installed: wantedInstallation(inputs),
    phases,
  };
}
