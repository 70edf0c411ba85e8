import { createHash } from "node:crypto";
import type { CobblerConnection } from "../cobbler/index.ts";
import type { Context } from "../kernel/index.ts";
import { ipmiPower, type PowerControl } from "./power.ts";
import { type Identity, readIdentity } from "./proof.ts";

export interface HostInputs {
  name: string;
  address: string;
  bmc: { address: string; port: number; credential: string; cipherSuite: number; pacingSeconds: number };
  cobbler: CobblerConnection;
  system: string;
  profile: string;
  os: { id: string; version: string };
  generation: string;
  installs: string;
  ssh: { user: string; credential: string };
  onDelete: "off" | "leave";
  installSeconds: number;
  simultaneousInstalls: number;
}

export interface HostOutputs {
  tokenFingerprint: string;
  hostKey: string;
  osRelease: string;
  installedAt: string;
  installed: string;
  phases: { phase: string; seconds: number }[];
}

/** The token itself is never in the state; its fingerprint is enough to recognise it. */
export function tokenFingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 16);
}

/** What must be equal for an installation to count as the wanted one. */
export const wantedInstallation = (inputs: HostInputs) => `${inputs.generation} ${inputs.profile} ${inputs.installs}`;

export function powerOf(context: Context, bmc: HostInputs["bmc"]): PowerControl {
  const { user = "", password = "" } = context.credential(bmc.credential);
  return ipmiPower(context, {
    address: bmc.address,
    port: bmc.port,
    user,
    password,
    cipherSuite: bmc.cipherSuite,
    pacingSeconds: bmc.pacingSeconds,
  });
}

export function identityOf(context: Context, inputs: HostInputs, hostKey?: string): Promise<Identity> {
  const { privateKey = "" } = context.credential(inputs.ssh.credential);
  return readIdentity({ address: inputs.address, user: inputs.ssh.user, privateKey, ...(hostKey ? { hostKey } : {}) });
}

export function outputs(inputs: HostInputs, seen: Identity, phases: HostOutputs["phases"]): HostOutputs {
  return {
    tokenFingerprint: tokenFingerprint(seen.token),
    hostKey: seen.hostKey,
    osRelease: `${seen.osId} ${seen.osVersion}`,
    installedAt: new Date().toISOString(),
    installed: wantedInstallation(inputs),
    phases,
  };
}
