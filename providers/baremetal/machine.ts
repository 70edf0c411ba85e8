import { createHash } from "node:crypto";
import type { CobblerConnection } from "../cobbler/index.ts";
import type { Context } from "../kernel/index.ts";
import { type Driver, driverTarget } from "../site/index.ts";
import type { LogPlace } from "./driver-logs.ts";
import type { Phase } from "./phases.ts";
import { ipmiPower, type PowerControl } from "./power.ts";
import { type Identity, readIdentity } from "./proof.ts";

export interface HostInputs {
  name: string;
  address: string;
  mac: string;
  bmc: {
    address: string;
    port: number;
    credential: string;
    cipherSuite: number;
    pacingSeconds: number;
    via?: Driver | undefined;
  };
  cobbler: CobblerConnection;
  system: string;
  profile: string;
  os: { id: string; version: string };
  generation: string;
  installs: string;
  ssh: { user: string; credential: string };
  logs?: LogPlace | undefined;
  onDelete: "off" | "leave";
  installSeconds: number;
  powerSeconds: number;
  simultaneousInstalls: number;
}

export interface HostOutputs {
  tokenFingerprint: string;
  hostKey: string;
  osRelease: string;
  installedAt: string;
  installed: string;
  phases: Phase[];
}

/** The token itself is never in the state; its fingerprint is enough to recognise it. */
export function tokenFingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 16);
}

/** What must be equal for an installation to count as the wanted one. */
export const wantedInstallation = (inputs: HostInputs) => `${inputs.generation} ${inputs.profile} ${inputs.installs}`;

/** What a system says of itself otherwise than wanted: `profile: expected lab-kvm, seen lab-xen`. */
export function differences(inputs: HostInputs, seen: Identity): string[] {
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

export function powerOf(context: Context, { bmc, powerSeconds }: Pick<HostInputs, "bmc" | "powerSeconds">): PowerControl {
  const { user = "", password = "" } = context.credential(bmc.credential);
  const { address, port, cipherSuite, pacingSeconds } = bmc;
  const via = bmc.via ? { via: driverTarget(context, bmc.via) } : {};
  return ipmiPower(context, { address, port, user, password, cipherSuite, pacingSeconds, ...via }, powerSeconds);
}

export function identityOf(context: Context, inputs: HostInputs, hostKey?: string): Promise<Identity> {
  const { privateKey = "" } = context.credential(inputs.ssh.credential);
  return readIdentity({ address: inputs.address, user: inputs.ssh.user, privateKey, ...(hostKey ? { hostKey } : {}) });
}

export function outputs(inputs: HostInputs, seen: Identity, phases: Phase[]): HostOutputs {
  return {
    tokenFingerprint: tokenFingerprint(seen.token),
    hostKey: seen.hostKey,
    osRelease: `${seen.osId} ${seen.osVersion}`,
    installedAt: new Date().toISOString(),
    installed: wantedInstallation(inputs),
    phases,
  };
}
