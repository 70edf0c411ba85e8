// That the watcher of the e2e rows finds a secret where one is: else its silence would mean nothing.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { needlesOf, SecretWatch, secretsBelow, secretsIn } from "../support/secret-watch.ts";
import { waitUntil } from "../support/wait-until.ts";

const key = `-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAAMwAAAAtzc2gtZWQ\nQyNTUxOQAAACDQSecret\n-----END OPENSSH PRIVATE KEY-----\n`;
const needles = needlesOf({ bmc: { user: "operator", password: "s3cr3t-bmc" }, hosts: { privateKey: key } });

let child: ChildProcess | undefined;
afterEach(() => void child?.kill());

test("a user's name is no secret, and what all keys have in common is none either", () => {
  expect(secretsIn("operator -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\nAAAAMwAAAAtzc2gtZWQ", needles)).toEqual([]);
  expect(secretsIn("x  QyNTUxOQAAACDQSecret", needles)).toEqual(["hosts.privateKey"]);
});

test.each<[string, string[], NodeJS.ProcessEnv, string]>([
  ["its arguments", ["s3cr3t-bmc"], {}, "arguments of sh -c"],
  ["its environment", [], { PASSWORD: "s3cr3t-bmc" }, "environment of sh -c"],
])("a process with a secret in %s is found while it runs", async (_what, words, environment, where) => {
  const watch = new SecretWatch(process.pid);
  child = spawn("sh", ["-c", "read line", "sh", ...words], { env: { PATH: process.env.PATH, ...environment } });
  await waitUntil("the watcher to find it", () => {
    watch.look();
    return watch.found(needles).length > 0;
  });
  watch.stop();
  expect(watch.found(needles)).toEqual([{ secret: "bmc.password", where }]);
});

test("a process without a secret is looked at, and nothing is found", async () => {
  const watch = new SecretWatch(process.pid);
  child = spawn("sh", ["-c", "read line"]);
  await waitUntil("the watcher to see it", () => {
    watch.look();
    return watch.programs.includes("sh -c");
  });
  watch.stop();
  expect(watch.found(needles)).toEqual([]);
});

test("a file with a secret is found however deep it lies", () => {
  const folder = mkdtempSync(join(tmpdir(), "secret-watch-"));
  mkdirSync(join(folder, "a/b"), { recursive: true });
  writeFileSync(join(folder, "a/clean.log"), "nothing");
  writeFileSync(join(folder, "a/b/torn.log"), "login s3cr3t-bmc\n");
  expect(secretsBelow(folder, needles)).toEqual([{ secret: "bmc.password", where: join(folder, "a/b/torn.log") }]);
  rmSync(folder, { recursive: true });
});
