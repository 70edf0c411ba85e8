import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { shellExports } from "../../cli/commands/env.ts";
import { CommandError } from "../../cli/exit.ts";
import { readSite, siteOfStack } from "../../cli/site.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "testbed-cli-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), text);
}

function failure(action: () => unknown): CommandError {
  try {
    action();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("a stack leads to its site: embedded, number of machines, hint, passphrase", () => {
  write("Pulumi.kvm.yaml", "config:\n  cloudstack-testbed:site: lab\n");
  write("environments/lab/inventory.yaml", "site: lab\nembedded: true\nunreachable: Start it.\nmachines: { h1: {}, h2: {} }\n");
  write("environments/lab/passphrase", "x");
  expect(siteOfStack("kvm", folder)).toEqual({
    site: "lab",
    embedded: true,
    unreachable: "Start it.",
    machines: 2,
    passphraseFile: join(folder, "environments/lab/passphrase"),
  });
});

test("a real site never takes a passphrase from the checkout", () => {
  write("environments/qa/inventory.yaml", "site: qa\nmachines: {}\n");
  write("environments/qa/passphrase", "x");
  expect(readSite("qa", folder)).toMatchObject({ embedded: false, machines: 0, passphraseFile: undefined });
});

test("a stack that does not exist is refused with those that do", () => {
  write("Pulumi.kvm.yaml", "config: {}\n");
  expect(failure(() => siteOfStack("kvn", folder)).message).toContain("Stacks here: kvm.");
});

test.each([
  ["has no configuration at all", ""],
  ["names no site", "config:\n  cloudstack-testbed:marvin: x.cfg\n"],
  ["has a site that is no text", "config:\n  cloudstack-testbed:site: [lab]\n"],
  ["is a list", "- a\n"],
])("a stack file that %s is wrong use, with the remedy", (_what, text) => {
  write("Pulumi.kvm.yaml", text);
  const error = failure(() => siteOfStack("kvm", folder));
  expect(error.status).toBe(2);
  expect(error.message).toContain("pulumi config set site");
});

test("a site without an inventory is refused by name", () => {
  write("Pulumi.kvm.yaml", "config:\n  cloudstack-testbed:site: nowhere\n");
  expect(failure(() => siteOfStack("kvm", folder)).message).toContain("Site nowhere has no inventory");
});

test.each([
  ["a torn file", "machines: {h1: "],
  ["tabs", "machines:\n\th1: {}\n"],
  ["duplicate keys", "site: a\nsite: b\n"],
])("an inventory with %s gives the way to every fault, not a stack trace", (_what, text) => {
  write("environments/lab/inventory.yaml", text);
  const error = failure(() => readSite("lab", folder));
  expect(error.status).toBe(2);
  expect(error.message).toContain("testbed check");
});

test.each([["machines: 7\n"], ["machines: [h1]\n"], ["null\n"], ["[]\n"]])(
  "an inventory of the wrong shape counts no machines: %j",
  (text) => {
    write("environments/lab/inventory.yaml", text);
    expect(readSite("lab", folder).machines).toBe(0);
  },
);

test("no value can break out of what `testbed env` prints", () => {
  expect(shellExports({ A: "it's $(here) `now`\n" })).toBe("export A='it'\\''s $(here) `now`\n'\n");
});
