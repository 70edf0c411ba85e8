import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Site } from "../site.ts";
import { mountRoot } from "./ganesha.ts";

/** What the NFS server can be told to do wrong; all of it ends with `clear`. */
export const nfsFaults = {
  "not-mounted": "the disk of the stores is not mounted",
  "read-only": "the disk of the stores is mounted read-only",
  full: "the disk of the stores is full",
  "stale-marker": "the marker of a store (its path as the third word) names another stack",
  "same-directory": "two stores (PATH:PATH as the third word) are one directory",
} as const;
export type NfsFault = keyof typeof nfsFaults;

const SAVED = "/run/testbed-nfs-faults";
const MARKER = ".cloudstack-testbed-store";
const ANOTHER = "cloudstack-testbed:cloudstack-testbed/another/ffffffffffffffff";

const mount = (...args: string[]) => execFileSync("mount", args);
const sh = (script: string, ...args: string[]) =>
  execFileSync("sh", ["-c", script, "sh", ...args], { stdio: ["ignore", "ignore", "inherit"] });

/** Starts a fault. What it laid over the disk is forgotten by `clear`. */
export function setNfsFault(site: Site, kind: NfsFault, words = ""): void {
  const roots = site.driver.nfsRoots;
  switch (kind) {
    case "not-mounted":
      // Lazily: ganesha holds it open.
      for (const root of roots) execFileSync("umount", ["--lazy", root]);
      break;
    case "read-only":
      for (const root of roots) mount("-o", "remount,bind,ro", root);
      break;
    case "full":
      for (const root of roots) fill(root);
      break;
    case "stale-marker":
      inRoot(roots, words);
      spoilMarker(words);
      break;
    case "same-directory": {
      const [first = "", second = ""] = words.split(":");
      for (const path of [first, second]) mkdirSync(inRoot(roots, path), { recursive: true });
      mount("--bind", first, second);
      break;
    }
  }
}

function inRoot(roots: readonly string[], path: string): string {
  if (!roots.some((root) => path.startsWith(`${root}/`))) throw new Error(`${path || "nothing"} is not below ${roots.join(", ")}`);
  return path;
}

/** Lays a file system over the root that holds the same and has no byte left: the real disk is not ours to fill. */
function fill(root: string): void {
  const bytes = Number(execFileSync("du", ["-sB1", root], { encoding: "utf8" }).split("\t")[0]);
  const copy = `${SAVED}/full${root}`;
  mkdirSync(copy, { recursive: true });
  mount("-t", "tmpfs", "-o", `size=${bytes + 2 ** 20}`, "tmpfs", copy);
  // dd ends with an error when the disk is full, which is what is wanted here.
  sh('cp -a "$1/." "$2" && { dd if=/dev/zero of="$2/.filler" 2>/dev/null || true; }', root, copy);
  mount("--move", copy, root);
}

const savedMarker = (path: string) => join(SAVED, `marker${path.replaceAll("/", "%")}`);

function spoilMarker(path: string): void {
  const marker = join(path, MARKER);
  mkdirSync(path, { recursive: true });
  mkdirSync(SAVED, { recursive: true });
  const before = existsSync(marker) ? readFileSync(marker, "utf8") : "";
  if (!existsSync(savedMarker(path))) writeFileSync(savedMarker(path), before);
  const rest = before.split("\n").slice(1).join("\n") || `path ${path}\ncreated no\nsince 2020-01-01T00:00:00Z\ngeneration 1\n`;
  writeFileSync(marker, `${ANOTHER}\n${rest}`);
}

/** Ends every fault: the disk as it was, mounted as it should be. */
export function clearNfsFaults(site: Site): void {
  for (const root of site.driver.nfsRoots) {
    // The deepest first: the bind mounts of stores, then what lies over the root, then the root itself.
    sh(
      'awk -v root="$1" \'$5 == root || index($5, root "/") == 1 { print $5 }\' /proc/self/mountinfo | sort -r | while read -r at; do umount --lazy "$at"; done',
      root,
    );
    mountRoot(root);
  }
  if (!existsSync(SAVED)) return;
  for (const path of execFileSync("ls", [SAVED], { encoding: "utf8" }).split("\n")) {
    if (!path.startsWith("marker")) continue;
    const marker = join(path.slice("marker".length).replaceAll("%", "/"), MARKER);
    const before = readFileSync(join(SAVED, path), "utf8");
    if (before) writeFileSync(marker, before);
    else rmSync(marker, { force: true });
  }
  rmSync(SAVED, { recursive: true });
}
