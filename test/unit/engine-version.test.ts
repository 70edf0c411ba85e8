// The engine's release stands in package.json alone, as the SDK's; who builds or names the engine follows it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { engineVersion } from "../../cli/project.ts";

const checkout = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(checkout, file), "utf8");

test("the command line takes the SDK's exact release", () => {
  expect(engineVersion).toMatch(/^\d+\.\d+\.\d+$/);
  expect(JSON.parse(read("package.json")).dependencies["@pulumi/pulumi"]).toBe(engineVersion);
});

test("the engine that is built from Go modules is of that release", () => {
  for (const module of ["pkg", "sdk"])
    expect(read("tools/pulumi/engine/go.mod")).toContain(`github.com/pulumi/pulumi/${module}/v3 v${engineVersion} `);
});

test.each(["cli/project.ts", "tools/setup/engine.sh"])("%s does not name a release itself", (file) => {
  expect(read(file)).not.toMatch(/\b3\.\d+\.\d+\b/);
});

/** Set-up in a folder whose package.json asks for this release of the SDK, with a cache that has `cached`. */
function setUp(wanted: string, cached: string) {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  mkdirSync(join(folder, "tools/setup"), { recursive: true });
  symlinkSync(join(checkout, "tools/setup/engine.sh"), join(folder, "tools/setup/engine.sh"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: { "@pulumi/pulumi": wanted } }, undefined, 2));
  const bin = join(folder, "cache/cloudstack-testbed/pulumi", cached, "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"])
    writeFileSync(join(bin, name), "", { mode: 0o755 });
  const { status, stderr } = spawnSync(join(folder, "tools/setup/engine.sh"), {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", XDG_CACHE_HOME: join(folder, "cache"), HOME: folder },
  });
  rmSync(folder, { recursive: true });
  return { status, stderr };
}

test("set-up is content with a cached engine of the SDK's release", () => {
  expect(setUp("9.8.7", "9.8.7")).toEqual({ status: 0, stderr: "" });
});

test("set-up refuses a package.json that names a range instead of a release", () => {
  const { status, stderr } = setUp("^9.8.7", "9.8.7");
  expect([status, stderr]).toEqual([1, expect.stringContaining("names no exact release of @pulumi/pulumi")]);
});
