import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const { utils } = createRequire(import.meta.url)("ssh2") as typeof import("ssh2");

/** What a pin looks like: a public key line (`ssh-ed25519 AAAA…`, a comment may follow) or a fingerprint as `ssh-keygen -l` prints it. */
export const hostKeyPattern = /^((ssh|ecdsa)-\S+ [A-Za-z0-9+/]+={0,2}( .*)?|SHA256:[A-Za-z0-9+/]{43}=?)$/;

/** The signature algorithms that prove possession of a key of one type, the strongest first. */
const signatures: Record<string, readonly string[]> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  // One type of key, three algorithms; servers before OpenSSH 7.2 (CentOS 6) know only the last.
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

/** A pinned host key, however it was written. */
export interface HostKeyPin {
  readonly fingerprint: string;
  /**
   * The algorithms to offer, one list per attempt. A server with several keys shows only the first that the client asks for, so a key
   * line asks for its own type, and a fingerprint, which does not tell its type, for each type in turn.
   */
  readonly attempts: readonly (readonly string[])[];
}

export function parsePin(text: string): HostKeyPin {
  const pin = text.trim();
  if (pin.startsWith("SHA256:")) return { fingerprint: pin.replace(/=+$/, ""), attempts: Object.values(signatures) };
  const type = pin.split(/\s+/)[0] ?? "";
  return { fingerprint: keyFingerprint(pin), attempts: [signatures[type] ?? [type]] };
}

/** SHA256 fingerprint of an OpenSSH key line, as `ssh-keygen -l` prints it. */
export function keyFingerprint(line: string): string {
  const blob = Buffer.from(line.trim().split(/\s+/)[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The key that a server showed, as an OpenSSH line. */
export function keyLine(blob: Buffer): string {
  const parsed = utils.parseKey(blob);
  const type = parsed instanceof Error ? "unknown" : parsed.type;
  return `${type} ${blob.toString("base64")}`;
}
