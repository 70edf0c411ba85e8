import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";

/** What is written on every remote object that belongs to a stack. */
export interface Mark {
  project: string;
  stack: string;
  /** The owner id: fingerprint of where the stack's state lives, 16 hex digits. */
  owner: string;
}

const PREFIX = "cloudstack-testbed:";
const PATTERN = /cloudstack-testbed:([A-Za-z0-9._-]+)\/([A-Za-z0-9._-]+)\/([0-9a-f]{16})/;

/** `cloudstack-testbed:<project>/<stack>/<owner>` */
export function markText(mark: Mark): string {
  return `${PREFIX}${mark.project}/${mark.stack}/${mark.owner}`;
}

/** The first mark in a text, or undefined where there is none. */
export function findMark(text: string): Mark | undefined {
  const found = PATTERN.exec(text);
  return found ? { project: found[1] as string, stack: found[2] as string, owner: found[3] as string } : undefined;
}

export function sameMark(a: Mark | undefined, b: Mark): boolean {
  return a !== undefined && markText(a) === markText(b);
}

/**
 * The owner id of a stack. A file backend is a folder of one machine, so that machine's id counts too: two checkouts under
 * the same path on two machines are two owners.
 */
export function ownerId(backend: string, project: string, stack: string): string {
  const place = backend.startsWith("file:") ? `${machineId()} ${backend}` : backend;
  return createHash("sha256").update(`${place}\n${project}\n${stack}`).digest("hex").slice(0, 16);
}

/** The address of the state backend in use: the environment's, else the one the Pulumi CLI is logged in to. */
export function backendAddress(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.PULUMI_BACKEND_URL) return environment.PULUMI_BACKEND_URL;
  const credentials = join(environment.PULUMI_HOME ?? join(homedir(), ".pulumi"), "credentials.json");
  try {
    const current = (JSON.parse(readFileSync(credentials, "utf8")) as { current?: string }).current;
    if (current) return current;
  } catch (error) {
    throw new Error(`No Pulumi backend is chosen: PULUMI_BACKEND_URL is not set and ${credentials} cannot be read (${String(error)})`);
  }
  throw new Error(`No Pulumi backend is chosen: set PULUMI_BACKEND_URL, or run \`pulumi login\` (${credentials} names none)`);
}

function machineId(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim() || hostname();
  } catch {
    // macOS and minimal containers have no machine-id; the host name is the best that is always there.
    return hostname();
  }
}
