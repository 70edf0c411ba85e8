// ipmitool's own words, as collected from real runs (facts on BMCs): what each means and whether another try is worth it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { classifyIpmi, ipmitool } from "../../providers/transport/ipmitool.ts";
import { failure } from "../support/context.ts";

test.each([
  ["> RAKP 2 HMAC is invalid", "refused", "password"],
  ["RAKP 2 message indicates an error : unauthorized name", "refused", "user"],
  ["RAKP 2 message indicates an error : unauthorized role or privilege level requested", "refused", "privilege"],
  ["Error in open session response message : invalid authentication algorithm", "refused", "cipher-suite"],
  ["Address lookup for bmc.example failed", "refused", "address"],
  ["insufficient resources for session", "unreachable", "busy"],
  ["Get Auth Capabilities error\nError issuing Get Channel Authentication Capabilities request", "unreachable", "no-answer"],
  ["Set Chassis Boot Parameter 5 failed: Unspecified error", "refused", "refused"],
  ["", "refused", "refused"],
])("%j is %s, %s", (stderr, kind, code) => {
  expect(classifyIpmi(`${stderr}\n${code === "password" ? "Error: Unable to establish IPMI v2 / RMCP+ session" : ""}`)).toMatchObject({
    kind,
    code,
  });
});

const folder = mkdtempSync(join(tmpdir(), "ipmitool-"));
const path = process.env.PATH;
const target = { address: "192.0.2.1", port: 623, user: "lab", password: "a secret", cipherSuite: 17, pacingSeconds: 0 };

/** Puts a program named ipmitool first on PATH: what is tested is how it is called and how its end is read. */
function program(script: string): void {
  writeFileSync(join(folder, "ipmitool"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "ipmitool"), 0o755);
}

beforeAll(() => {
  process.env.PATH = `${folder}${delimiter}${path}`;
});

afterAll(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

test("the password is in the environment of that one process and never in its arguments", async () => {
  program('echo "$IPMITOOL_PASSWORD|$*"');
  const [password, args] = (await ipmitool(target, ["chassis", "power", "status"])).trim().split("|");
  expect(password).toBe("a secret");
  expect(args).not.toContain("a secret");
  expect(args).toContain("-C 17");
  expect(process.env.IPMITOOL_PASSWORD).toBeUndefined();
});

test("a refusal that ipmitool reports with status 0 and no output is a failure", async () => {
  program('echo "Set Chassis Boot Parameter 5 failed: Unspecified error" >&2; exit 0');
  expect((await failure(ipmitool(target, ["chassis", "bootdev", "pxe"]))).message).toContain("Boot Parameter 5 failed");
});

test("noise on stderr beside an answer is no failure", async () => {
  program('echo "Get HPM.x Capabilities request failed, compcode = d4" >&2; echo "Chassis Power is on"');
  expect(await ipmitool(target, ["chassis", "power", "status"])).toBe("Chassis Power is on\n");
});

test("two commands to one BMC never run at the same time", async () => {
  program(`mkdir ${folder}/busy || { echo "twice at once" >&2; exit 1; }; sleep 0.1; rmdir ${folder}/busy; echo done`);
  await expect(Promise.all([1, 2, 3].map(() => ipmitool(target, ["mc", "info"])))).resolves.toEqual(["done\n", "done\n", "done\n"]);
});

test("a machine without ipmitool is told to install it", async () => {
  process.env.PATH = folder;
  rmSync(join(folder, "ipmitool"));
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  const before = timers();
  expect((await failure(ipmitool(target, ["mc", "info"]))).message).toContain("install ipmitool there");
  // What is left of it would keep the process alive, and every command that looked at a BMC with it.
  expect(timers()).toBeLessThanOrEqual(before);
  process.env.PATH = `${folder}${delimiter}${path}`;
});
