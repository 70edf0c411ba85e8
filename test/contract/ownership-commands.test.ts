// `testbed leases`, `takeover` and `adopt` as an operator types them, against the driver of the lab.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { claimsDirectory, lease, listClaims } from "../../providers/site/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, testContext, theirs } from "../support/context.ts";
import { driver } from "../support/light-host.ts";

const checkout = join(import.meta.dirname, "../..");
const home = mkdtempSync(join(tmpdir(), "leases-command-"));
const wanted = { server: driver, claims: ["machine/h11", "address/10.91.0.11", "machine/h12"] };
const testbed = (...words: string[]) => {
  const { STACK: _stack, NODE_OPTIONS: _options, ...rest } = process.env;
  const environment = { ...rest, PULUMI_BACKEND_URL: `file://${home}/state`, PULUMI_HOME: `${home}/home` };
  return spawnSync(join(checkout, "cli/testbed.sh"), words, { encoding: "utf8", env: environment, input: "", timeout: 100_000 });
};
const holders = async () =>
  Object.fromEntries((await listClaims(testContext(), driver)).map(({ claim, holder }) => [claim, holder?.owner]));

beforeAll(async () => {
  mkdirSync(`${home}/state`);
  await apply(lease, wanted, testContext(theirs));
});
afterAll(async () => {
  await closeSharedSsh();
  rmSync(claimsDirectory, { recursive: true, force: true });
  rmSync(home, { recursive: true });
});

test("leases prints what is held, for people and for machines", () => {
  expect(testbed("leases", "--stack", "kvm").stdout).toMatch(
    /machine\/h11 +stack contract of cloudstack-testbed \(owner 00000000000000bb\)/,
  );
  const { claims: rows } = JSON.parse(testbed("leases", "--stack", "kvm", "--json").stdout);
  expect(rows).toContainEqual(expect.objectContaining({ claim: "machine/h11", ours: false, holder: theirs }));
});

test("takeover of a machine that the stack does not install is refused with those it installs", () => {
  const { status, stderr } = testbed("takeover", "nope", "--stack", "kvm");
  expect(status).toBe(2);
  expect(stderr).toContain("installs no nope. Its machines: h11, h12, h13, h14");
});

test("takeover shows holder and meaning, and changes nothing where nobody can be asked", async () => {
  const { status, stdout, stderr } = testbed("takeover", "h11", "--stack", "kvm");
  expect(status).toBe(1);
  expect(stdout).toMatch(/machine\/h11 +driver 10\.91\.0\.1 +stack contract of cloudstack-testbed \(owner 00000000000000bb\)/);
  expect(stdout).toContain("re-images");
  expect(stdout).not.toContain("h12");
  expect(stderr).toContain("with --yes it is");
  expect(await holders()).toMatchObject({ "machine/h11": theirs.owner });
});

test("takeover --yes moves the machine and its address, and nothing else", async () => {
  expect(testbed("takeover", "h11", "--stack", "kvm", "--yes").status).toBe(0);
  const after = await holders();
  expect(after["machine/h12"]).toBe(theirs.owner);
  expect(after["machine/h11"]).not.toBe(theirs.owner);
  expect(after["address/10.91.0.11"]).toBe(after["machine/h11"]);
  expect(testbed("takeover", "h11", "--stack", "kvm", "--yes").stdout).toContain("nothing to take over");
});

test("adopt finds nothing to adopt among what carries a mark", () => {
  const { status, stdout } = testbed("adopt", "--stack", "kvm");
  expect({ status, stdout: stdout.includes("nothing to adopt") }).toEqual({ status: 0, stdout: true });
});
