import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { type Context, type FailureKind, retry, TestbedError } from "../kernel/index.ts";
import { driverSchema } from "../site/index.ts";
import { sshExec } from "../transport/ssh.ts";

/** How an NFS server is reached over SSH; the account must be able to write below its roots. */
export const serverSchema = driverSchema.extend({
  address: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, "must be a host name or an address")
    .describe("The NFS server's name or address."),
});
export type NfsServer = z.infer<typeof serverSchema>;

export const directory = z
  .string()
  .regex(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._@+=,:-]+)+$/, "must be an absolute path of letters, digits and ._@+=,:- without `.` and `..`");

/** What every place below an NFS server's roots is described by. */
export const placeInputs = {
  server: serverSchema.describe("The NFS server."),
  roots: z.array(directory).min(1).describe("Directories below which this may lie. Nothing outside is ever written or wiped."),
  mountedAt: directory
    .optional()
    .describe(
      "Where the file system that holds it must be mounted. Besides, every mount point of the server's /etc/fstab on the way to it must be mounted.",
    ),
};

/** `algorithm:hexadecimal digits`. */
export const checksum = z
  .string()
  .regex(
    /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|sha1:[0-9a-f]{40}|md5:[0-9a-f]{32})$/,
    "must be `sha256:` and 64 lower-case hexadecimal digits (or sha512, sha1, md5)",
  );

/** Status with which our scripts say: the line on stderr is a refusal with a code. */
const REFUSED = 77;

const refusals: Record<string, { kind: FailureKind; remedy: string }> = {
  path: { kind: "invalid", remedy: "correct the store's address in the marvin configuration" },
  denied: { kind: "invalid", remedy: "give the store a directory of its own below the server's `roots`" },
  "outside-roots": { kind: "invalid", remedy: "move the store below one of the server's `roots`, or add its root to the inventory" },
  symlink: { kind: "refused", remedy: "name the directory itself; a store is never reached through a link" },
  "not-mounted": {
    kind: "refused",
    remedy: "mount it on the NFS server; if it was moved on purpose, remove the record or the line that is named",
  },
  "read-only": { kind: "refused", remedy: "look for the disk's errors on the NFS server, and mount it read-write" },
  full: { kind: "refused", remedy: "make room on that file system of the NFS server" },
  "not-written": { kind: "refused", remedy: "make it writable for the account on the NFS server" },
  "not-read": {
    kind: "refused",
    remedy: "make it a directory that the account may list on the NFS server, or correct the inventory's `roots`",
  },
  missing: { kind: "refused", remedy: "create the directory above it on the NFS server" },
  unmarked: {
    kind: "conflict",
    remedy: "look at what it holds; if it may be emptied, set `adopt: true` for this store once, or empty it by hand",
  },
  foreign: {
    kind: "conflict",
    remedy: "destroy that stack from where it is run, or choose another directory; if it is gone for good, `testbed takeover`",
  },
  "same-directory": { kind: "conflict", remedy: "give each store a directory of its own" },
  busy: { kind: "timeout", remedy: "see which process on the NFS server holds it, then run `pulumi up` again" },
  "mounted-below": { kind: "refused", remedy: "unmount it on the NFS server: a store is emptied on one file system only" },
  "not-wiped": { kind: "refused", remedy: "end what writes into it or protects it (lsattr), then run `pulumi up` again" },
  "not-staged": { kind: "refused", remedy: "run `pulumi up --refresh`: the template is then fetched again" },
};

const scripts = new Map<string, string>();

/** The text of one of this folder's scripts. */
export function scriptText(name: "guards" | "store" | "template" | "fetch" | "marked"): string {
  let text = scripts.get(name);
  if (text === undefined) scripts.set(name, (text = readFileSync(join(import.meta.dirname, `${name}.sh`), "utf8")));
  return text;
}

export interface RunOptions {
  /** What the script reads. */
  stdin?: Readable;
  /** @default 60 */
  timeoutSeconds?: number;
}

/** An error of this NFS server, with the kind and remedy of its code where the guards know it. */
export function nfsError(
  server: NfsServer,
  object: string,
  code: string,
  message: string,
  other: { kind: FailureKind; remedy?: string | undefined } = { kind: "refused" },
): TestbedError {
  const { kind, remedy } = refusals[code] ?? other;
  return new TestbedError({ system: `NFS server ${server.address}`, object, kind, code, message, ...(remedy ? { remedy } : {}) });
}

/**
 * Runs one of this folder's scripts on the NFS server, behind the guards; its arguments are data and never read as code.
 * @returns the `key=value` lines that it wrote
 */
export async function runOnServer(
  context: Context,
  server: NfsServer,
  object: string,
  script: "store" | "template" | "marked",
  args: readonly string[],
  options: RunOptions = {},
): Promise<Record<string, string>> {
  const { privateKey = "" } = context.credential(server.credential);
  const target = { address: server.address, user: server.user, hostKey: server.hostKey, privateKey };
  const run = () => sshExec(target, ["sh", "-c", scriptText("guards") + scriptText(script), "testbed", ...args], options);
  // A stream that was half read cannot be sent again.
  const result = options.stdin ? await run() : await retry(context.signal, run);
  if (result.status === 0) return Object.fromEntries(result.stdout.split("\n").flatMap((line) => keyValue(line)));
  const lines = result.stderr.trim().split("\n");
  const [code, message] = lines.at(-1)?.split("\t") ?? [];
  if (result.status === REFUSED && code && message) throw nfsError(server, object, code, message);
  throw nfsError(server, object, `exit-${result.status}`, lines.join("; ") || "no output");
}

function keyValue(line: string): [string, string][] {
  const at = line.indexOf("=");
  return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
}
