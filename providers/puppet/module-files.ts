import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TestbedError } from "../kernel/index.ts";

/** Digest per path: `modules/<module>/…` and `manifests/site.pp`. */
export type FileDigests = ReadonlyMap<string, string>;

/** The path of the site's manifest among them. */
export const SITE_MANIFEST = "manifests/site.pp";

export function textDigest(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The files of a folder like appliance/: everything of its modules, and the site's manifest. Names that start with a dot are left out. */
export function localFiles(source: string): FileDigests {
  const paths = readdirSync(join(source, "modules"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length).replace(/^\/+/, ""))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".")));
  const odd = paths.find((path) => !/^modules\/[a-z][a-z0-9_]*\/[A-Za-z0-9_./-]+$/.test(path));
  if (odd !== undefined) {
    throw new TestbedError({
      system: "the checkout",
      object: join(source, odd),
      kind: "invalid",
      message: "is not below a module's folder, or its name has other characters than letters, digits, _ . and -",
    });
  }
  return new Map([...paths, SITE_MANIFEST].sort().map((path) => [path, textDigest(readFileSync(join(source, path)))]));
}

export function digestOf(files: FileDigests): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, digest]) => `${path} ${digest}\n`);
  return textDigest(lines.join(""));
}

/** Digest of the modules of a folder, for a program that declares puppet:Modules and puppet:Run. Reads files, and no network. */
export function modulesDigest(source: string): string {
  return digestOf(localFiles(source));
}
