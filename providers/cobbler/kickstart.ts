import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, TestbedError } from "../kernel/index.ts";

const VALIDATOR = "ksvalidator";
const LIMIT_MILLISECONDS = 30_000;

let missingTold = false;

/** The version of kickstart's syntax for an OS version as cobbler's signatures name it; undefined for one without a known syntax. */
export function kickstartVersion(osVersion: string): string | undefined {
  const found = /^(rhel|centos|rocky|almalinux|cloudlinux|fedora)(\d+)$/.exec(osVersion);
  return found ? `${found[1] === "fedora" ? "F" : "RHEL"}${found[2]}` : undefined;
}

/** The validator's complaints, one a line. Arguments it quotes may hold a password and are left out. */
export function kickstartFaults(output: string): string[] {
  return output
    .replaceAll(/The following problem occurred on (line \d+) of the kickstart file:\s+/g, "\n$1: ")
    .split("\n")
    .map((line) => line.replace(/(Unexpected arguments to .* command:).*/, "$1 …").trim())
    .filter((line) => line !== "" && !line.startsWith("Checking kickstart file"));
}

/**
 * Checks a rendered kickstart with pykickstart's ksvalidator, as found on PATH. Where it is not installed, or does not know
 * the OS version, that is a warning; a kickstart that it refuses is an error of kind `invalid` with code `kickstart-invalid`.
 */
export async function checkKickstart(
  context: Context,
  text: string,
  osVersion: string,
  at: { system: string; object: string },
): Promise<void> {
  const version = kickstartVersion(osVersion);
  if (!version) return context.warn(`${at.object} was not checked: ${VALIDATOR} knows no syntax for ${osVersion}`);
  const result = await validate(text, version, context.signal);
  if (result === "not installed") {
    if (!missingTold) context.warn(`kickstarts are not checked: ${VALIDATOR} (Python package pykickstart) is not on PATH`);
    missingTold = true;
    return;
  }
  if (result.ok) return;
  if (/version .* is not supported/.test(result.output))
    return context.warn(`${at.object} was not checked: this ${VALIDATOR} does not know ${version}`);
  throw new TestbedError({
    ...at,
    kind: "invalid",
    code: "kickstart-invalid",
    message: `${VALIDATOR} refuses it as ${version}: ${kickstartFaults(result.output).slice(0, 6).join("; ") || "without a word"}`,
    remedy: "correct the template in the site's folder; lines count in the rendered file",
  });
}

/** The file is the caller's alone while it exists: answer files hold tokens and hashes. The validator reads no pipe. */
function validate(text: string, version: string, signal: AbortSignal): Promise<{ ok: boolean; output: string } | "not installed"> {
  const folder = mkdtempSync(join(tmpdir(), "kickstart-"));
  const file = join(folder, "answers.ks");
  writeFileSync(file, text, { mode: 0o600 });
  return new Promise<{ ok: boolean; output: string } | "not installed">((resolve) => {
    const env = { PATH: process.env.PATH, LC_ALL: "C.UTF-8" };
    execFile(VALIDATOR, ["-v", version, file], { timeout: LIMIT_MILLISECONDS, signal, env }, (error, stdout, stderr) => {
      if ((error as NodeJS.ErrnoException | null)?.code === "ENOENT") return resolve("not installed");
      const ended = error?.killed || error?.name === "AbortError" ? `\nended after ${LIMIT_MILLISECONDS / 1000} s or by a signal` : "";
      resolve({ ok: error === null, output: `${stdout}\n${stderr}${ended}` });
    });
  }).finally(() => rmSync(folder, { recursive: true }));
}
