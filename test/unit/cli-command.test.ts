import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const launcher = join(process.cwd(), "cli/testbed.sh");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "testbed-command-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The environment of somebody who is inside the lab already, so that `exec` needs no running one. */
function inside(): NodeJS.ProcessEnv {
  const { STACK: _stack, NODE_OPTIONS: _options, ...rest } = process.env;
  return { ...rest, TESTBED_INSIDE_LAB: "lab", PULUMI_BACKEND_URL: `file://${folder}/state`, PULUMI_HOME: `${folder}/home` };
}

function testbed(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(launcher, words, { encoding: "utf8", env: inside(), timeout: 30_000 });
  return { status, stdout, stderr };
}

test("--help names every command and the exit statuses", () => {
  const { status, stdout } = testbed("--help");
  expect(status).toBe(0);
  for (const name of ["check", "plan", "preview", "run", "test", "down", "exec", "env", "lab", "doctor", "leases", "takeover", "adopt"]) {
    expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  }
  expect(stdout).toContain("130 interrupted");
});

test.each([
  [["nope"]],
  [["exec"]],
  [["check", "--nope"]],
  [["lab", "nope"]],
  [["lab", "power", "h11", "maybe"]],
  [["check", "--stack", "a", "--site", "b"]],
])("wrong use ends with status 2 and a message: %j", (words) => {
  const { status, stderr } = testbed(...words);
  expect({ status, silent: stderr === "" }).toEqual({ status: 2, silent: false });
});

test("a command about one stack asks which, where there are several", () => {
  const { status, stderr } = testbed("env");
  expect(status).toBe(2);
  expect(stderr).toContain("--stack NAME");
});

test("an unknown stack is refused with those there are", () => {
  const { status, stderr } = testbed("exec", "--stack", "nope", "--", "true");
  expect(status).toBe(2);
  expect(stderr).toMatch(/There is no stack nope.*kvm/);
});

test("exec hands over arguments, environment and exit status untouched", () => {
  const { status, stdout } = testbed(
    "exec",
    "--stack",
    "kvm",
    "--",
    "sh",
    "-c",
    'printf "%s|" "$@" "$PULUMI_CONTINUE_ON_ERROR" "$STACK"; exit 7',
    "x",
    "a b",
    "--stack",
    "$HOME",
    "",
  );
  expect({ status, stdout }).toEqual({ status: 7, stdout: "a b|--stack|$HOME||true|kvm|" });
});

test("exec of a command that does not exist says so", () => {
  const { status, stderr } = testbed("exec", "--stack", "kvm", "--", "no-such-command");
  expect(status).toBe(2);
  expect(stderr).toContain("no-such-command: command not found");
});

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)("%s to exec reaches the command itself, once", async (signal) => {
  const child = spawn(launcher, ["exec", "--stack", "kvm", "--", "sh", "-c", "echo $$; exec sleep 60"], {
    env: inside(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = await new Promise<number>((resolve) => child.stdout.once("data", (text: Buffer) => resolve(Number(text.toString()))));
  expect(pid).toBe(child.pid);
  const ended = new Promise((resolve) => child.once("close", (_code, by) => resolve(by)));
  child.kill(signal);
  expect(await ended).toBe(signal);
});

test("from outside, a site whose lab does not run is said plainly, with the inventory's hint", () => {
  const { TESTBED_INSIDE_LAB: _inside, ...outside } = inside();
  const script = `
    import { argvAtSite } from ${JSON.stringify(join(process.cwd(), "cli/stack.ts"))};
    const site = { site: "elsewhere", embedded: true, unreachable: "Call Anna.", machines: 0, passphraseFile: undefined };
    try { argvAtSite({ stack: "x", site, environment: {} }, ["true"]); } catch (error) { console.log(error.status, error.message); }`;
  const node = spawnSync(process.execPath, ["--input-type=module-typescript", "--eval", script], { encoding: "utf8", env: outside });
  expect(node.stdout).toMatch(/^3 Site elsewhere cannot be reached: the lab is not running.*Call Anna\.$/m);
});

test("a reader that leaves before the end of the output breaks nothing", () => {
  const script = `"$1" plan --stack kvm --json | true; echo "$PIPESTATUS"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", launcher], { encoding: "utf8", env: inside() });
  expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
});

test("env prints what a shell can read, and the state's folder is there", () => {
  const { stdout } = testbed("env", "--stack", "kvm");
  const shell = spawnSync("sh", ["-c", `${stdout}\ncd "$(echo "$PULUMI_BACKEND_URL" | cut -c8-)" && echo "$PULUMI_PARALLEL"`], {
    encoding: "utf8",
  });
  expect({ status: shell.status, stdout: shell.stdout }).toEqual({ status: 0, stdout: "32\n" });
});
