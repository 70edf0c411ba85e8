import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { engineVersion, projectFolder } from "../../cli/project.ts";
import { atLeast, type Examined, examine } from "./examined.ts";

/** Below this a run's state, journal and logs may not fit. */
export const LEAST_MEGABYTES = 500;
const QUESTION_SECONDS = 20;

/** The programs of this machine, and its room for the state. */
export function examineTools(environment: NodeJS.ProcessEnv): Promise<Examined[]> {
  return Promise.all([
    examine("node", "run `make setup`: it gets the pinned one", async () => newEnough(process.version, "24")),
    examine("pulumi", "run `make setup`: it gets one", async () =>
      newEnough(await printed("pulumi", ["version"], environment), engineVersion),
    ),
    examine("ipmitool", "install the package ipmitool", async () => newEnough(await printed("ipmitool", ["-V"], environment), "1.8.18")),
    examine(`room in ${projectFolder}`, "remove old logs and states below .testbed", async () => {
      const { bavail, bsize } = await statfs(projectFolder);
      return roomText((bavail * bsize) / 2 ** 20);
    }),
  ]);
}

/** The version, when it is at least that one. */
export function newEnough(version: string, least: string): string {
  if (!atLeast(version, least)) throw new Error(`its version is ${version.trim() || "unknown"}; needed is ${least} or newer`);
  return version.trim();
}

/** The free room, when it is enough. */
export function roomText(megabytes: number): string {
  const text = `${Math.floor(megabytes)} MB free`;
  if (megabytes < LEAST_MEGABYTES) throw new Error(`${text}; needed are ${LEAST_MEGABYTES} MB`);
  return text;
}

function printed(command: string, words: string[], environment: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, words, { env: environment, timeout: QUESTION_SECONDS * 1000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`\`${command} ${words.join(" ")}\` failed: ${error.message}`));
      else resolve(stdout || stderr);
    });
  });
}
