import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";

/** What is written on every remote object that belongs to a stack. What belongs to the site carries one of each stack that uses it. */
export interface Mark {
  project: string;
  stack: string;
  /** The owner id: fingerprint of where the stack's state lives, 16 hex digits. */
  owner: string;
}

const PREFIX = "cloudstack-testbed:";
const PATTERN = /cloudstack-testbed:([A-Za-z0-9._-]+)\/([A-Za-z0-9._-]+)\/([0-9a-f]{16})/g;

/** `cloudstack-testbed:<project>/<stack>/<owner>` */
export function markText(mark: Mark): string {
  return `${PREFIX}${mark.project}/${mark.stack}/${mark.owner}`;
}

/** Every mark in a text, in its order. */
export function findMarks(text: string): Mark[] {
  return [...text.matchAll(PATTERN)].map(([, project = "", stack = "", owner = ""]) => ({ project, stack, owner }));
}

/** The first mark in a text, or undefined where there is none. */
export function findMark(text: string): Mark | undefined {
  return findMarks(text)[0];
}

export function sameMark(a: Mark | undefined, b: Mark): boolean {
  return a !== undefined && markText(a) === markText(b);
}

export const hasMark = (marks: readonly Mark[], mark: Mark) => marks.some((one) => sameMark(one, mark));

/** The marks with this one among them. */
export const withMark = (marks: readonly Mark[], mark: Mark): Mark[] => (hasMark(marks, mark) ? [...marks] : [...marks, mark]);

export const withoutMark = (marks: readonly Mark[], mark: Mark): Mark[] => marks.filter((one) => !sameMark(one, mark));

/** Whose an object is, as one stack sees it. */
export interface Standing {
  /** `joinable`: only other stacks of the same project hold it, and stacks may hold its kind together. */
  is: "ours" | "joinable" | "foreign" | "nobody's";
  /** Ours where it is ours, else who stands in the way, else the first that holds it. */
  holder: Mark | undefined;
  /** All other marks. */
  others: Mark[];
}

/**
 * What a stack may do with an object of these marks. The same stack run from another state is never joined: both would believe that
 * they are the only one.
 * @param shareable whether it is a kind that belongs to the site, so that its stacks hold it together
 */
export function standing(marks: readonly Mark[], mark: Mark, shareable: boolean): Standing {
  const others = withoutMark(marks, mark);
  if (hasMark(marks, mark)) return { is: "ours", holder: mark, others };
  const inTheWay = others.find((one) => !shareable || one.project !== mark.project || one.stack === mark.stack);
  if (inTheWay) return { is: "foreign", holder: inTheWay, others };
  return { is: others.length > 0 ? "joinable" : "nobody's", holder: others[0], others };
}

/** `stack xen`, `stacks xen, vmware`. */
export function stackNames(marks: readonly Mark[]): string {
  const names = [...new Set(marks.map((one) => one.stack))];
  return `${names.length === 1 ? "stack" : "stacks"} ${names.join(", ")}`;
}

/** What the row of an object says that its last stack but one gives back. */
export const keptFor = (others: readonly Mark[]) => `kept, still used by ${stackNames(others)}`;

/** What the row of an object says that is already as this stack wants it, and another's. */
export const joinedWith = (others: readonly Mark[]) => `shared from now on with ${stackNames(others)}`;

/** What the row of a shared object warns of when its content changes. */
export const changedFor = (others: readonly Mark[]) =>
  `${stackNames(others)} of this site ${others.length === 1 ? "uses" : "use"} it too, and from now on as this stack wants it`;

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
