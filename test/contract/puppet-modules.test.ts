// puppet:Modules on the lab's driver: only what differs is written, what is gone is removed, and nothing of anybody else is touched.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { modules, modulesDigest } from "../../providers/puppet/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, observed, ours, testContext } from "../support/context.ts";
import { onDriver } from "../support/driver-shell.ts";
import { driver } from "../support/puppet.ts";

const appliance = join(import.meta.dirname, "../../appliance");
const source = mkdtempSync(join(tmpdir(), "puppet-modules-"));
const root = "/srv/puppet/environments/contract";
const modulesDirectory = `${root}/modules`;
const inputs = () => ({ server: driver, source, digest: modulesDigest(source), modulesDirectory });
const put = (path: string, text: string) => {
  mkdirSync(join(source, path, ".."), { recursive: true });
  writeFileSync(join(source, path), text);
};
/** Another stack of the same project: it may share the modules. */
const beside = { ...ours, stack: "beside" };
const text = (path: string) => onDriver('cat "$1" 2>/dev/null; exit 0', `${root}/${path}`);
const modified = () => onDriver('find "$1" -type f ! -name ".*" -exec stat -c "%n %Y %i" {} + | sort', root);

beforeEach(async () => {
  rmSync(source, { recursive: true });
  cpSync(appliance, source, { recursive: true });
  await onDriver('rm -rf "$1"', root);
});

afterEach(() => onDriver('rm -rf "$1"', root));

afterAll(async () => {
  rmSync(source, { recursive: true });
  await closeSharedSsh();
});

test("every file arrives as it is here, and the digest read there is the wanted one", async () => {
  const { outputs } = await apply(modules, inputs());
  expect(outputs.files).toBeGreaterThan(15);
  expect(await text("manifests/site.pp")).toContain("testbed_role");
  const there = await onDriver('cd "$1/modules" && tar -c --exclude=".*" --sort=name * | sha256sum', root);
  expect(there).not.toBe("");
  expect((await observed(modules, inputs()))?.digest).toBe(inputs().digest);
});

test("applied again writes nothing", async () => {
  await apply(modules, inputs());
  const before = await modified();
  const { phases } = await apply(modules, inputs());
  expect(phases).toEqual([]);
  expect(await modified()).toBe(before);
});

test("a changed file is the only one written", async () => {
  await apply(modules, inputs());
  const before = (await modified()).split("\n");
  put("modules/testbed_kvm/manifests/init.pp", "# changed\nclass testbed_kvm {\n}\n");
  const { phases } = await apply(modules, inputs());
  expect(phases).toEqual(["writing 1 files, removing 0"]);
  const after = (await modified()).split("\n");
  expect(after.filter((line) => !before.includes(line)).map((line) => line.split(" ")[0])).toEqual([
    `${modulesDirectory}/testbed_kvm/manifests/init.pp`,
  ]);
});

test("a removed file goes with the folders that it leaves empty, a removed module as a whole", async () => {
  put("modules/testbed_extra/files/deep/er/file", "x");
  put("modules/testbed_kvm/files/deep/er/file", "x");
  await apply(modules, inputs());
  rmSync(join(source, "modules/testbed_extra"), { recursive: true });
  rmSync(join(source, "modules/testbed_kvm/files"), { recursive: true });
  await apply(modules, inputs());
  expect((await onDriver('ls "$1" "$1/testbed_kvm"', modulesDirectory)).split("\n")).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(testbed_extra|files)$/)]),
  );
  expect((await observed(modules, inputs()))?.digest).toBe(inputs().digest);
});

test.each([
  ["changed", "echo '# by hand' >>$1/modules/testbed_base/manifests/init.pp"],
  ["removed", "rm $1/modules/testbed_base/manifests/init.pp"],
  ["added", "echo x >$1/modules/testbed_base/manifests/more.pp"],
  ["changed in the site's manifest", "echo '# by hand' >>$1/manifests/site.pp"],
])("what was %s by hand is drift, and mended", async (_, script) => {
  await apply(modules, inputs());
  await onDriver(script, root);
  expect((await observed(modules, inputs()))?.digest).not.toBe(inputs().digest);
  await apply(modules, inputs());
  expect((await observed(modules, inputs()))?.digest).toBe(inputs().digest);
});

describe("what is not ours", () => {
  test.each([
    [
      "a module of the same name",
      "mkdir -p $1/modules/testbed_kvm/manifests; echo theirs >$1/modules/testbed_kvm/manifests/init.pp",
      "it has no",
    ],
    [
      "a link in the place of a module",
      "mkdir -p $1/modules $1/else; touch $1/else/.cloudstack-testbed; ln -s $1/else $1/modules/testbed_kvm",
      "it has no",
    ],
    ["a site manifest", "mkdir -p $1/manifests; echo 'node default { }' >$1/manifests/site.pp", "it starts with node default"],
  ])("%s is refused before anything is written", async (_, script, says) => {
    await onDriver(script, root);
    const before = await modified();
    const error = await failure(apply(modules, inputs()));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(error.message).toContain(says);
    expect(await modified()).toBe(before);
  });

  test("other modules beside ours are neither drift nor removed", async () => {
    await onDriver("mkdir -p $1/modules/stdlib/manifests; echo theirs >$1/modules/stdlib/manifests/init.pp", root);
    await apply(modules, inputs());
    expect((await observed(modules, inputs()))?.digest).toBe(inputs().digest);
    await drop(modules, inputs());
    expect(await onDriver('ls "$1"', modulesDirectory)).toBe("stdlib\n");
    expect(await text("modules/stdlib/manifests/init.pp")).toBe("theirs\n");
  });
});

test("two stacks share the modules: the first delete leaves them to the other, the last removes them", async () => {
  await apply(modules, inputs(), testContext(ours));
  await apply(modules, inputs(), testContext(beside));
  await drop(modules, inputs(), testContext(ours));
  expect(await text("manifests/site.pp")).toContain("testbed_role");
  expect(await observed(modules, inputs())).toBeUndefined();
  await drop(modules, inputs(), testContext(beside));
  expect(await onDriver('ls "$1" "$2"', modulesDirectory, `${root}/manifests`)).not.toMatch(/testbed|site/);
});

test("files that another stack gets as well are said to be", async () => {
  await apply(modules, inputs(), testContext(beside));
  put("modules/testbed_kvm/manifests/init.pp", "class testbed_kvm {\n}\n");
  const { phases } = await apply(modules, inputs(), testContext(ours));
  expect(phases.join()).toContain("warning: stack beside of this site uses it too, and from now on as this stack wants it");
});

test("the same stack from another state is refused, and what the first one distributed stays", async () => {
  await apply(modules, inputs());
  const before = await modified();
  const error = await failure(apply(modules, inputs(), testContext({ ...ours, owner: "00000000000000bb" })));
  expect([error.kind, error.message]).toEqual([
    "conflict",
    expect.stringContaining(`it belongs to cloudstack-testbed:${ours.project}/${ours.stack}/${ours.owner}`),
  ]);
  expect(await modified()).toBe(before);
});

test("deleting what was never there succeeds", async () => {
  await drop(modules, inputs());
});

test("a checkout that changed since the program ran is refused", async () => {
  const given = inputs();
  put("modules/testbed_kvm/manifests/init.pp", "class testbed_kvm {\n}\n");
  const error = await failure(apply(modules, given));
  expect([error.kind, error.code]).toEqual(["invalid", "changed-here"]);
});

test.each(["modules/Upper/init.pp", "modules/a b/init.pp", "modules/file"])("the name %j is refused", (path) => {
  put(path, "x");
  expect(() => modulesDigest(source)).toThrow("is not below a module's folder, or its name has other characters");
});

describe("the modules of this checkout", () => {
  const run = (...command: string[]) => execFileSync(command[0] as string, command.slice(1), { cwd: appliance, encoding: "utf8" });

  test("are valid to puppet's parser", () => {
    expect(run("/usr/bin/puppet", "parser", "validate", "manifests", "modules")).toBe("");
  });

  test("are without a warning of puppet-lint", () => {
    expect(run("/usr/bin/puppet-lint", "--fail-on-warnings", "manifests", "modules")).toBe("");
  });

  test("have programs that a POSIX shell reads", () => {
    const programs = run("find", "modules", "-path", "*/files/testbed-*").trim().split("\n");
    expect(programs.length).toBeGreaterThan(3);
    for (const program of programs) expect(run("dash", "-n", program)).toBe("");
  });

  test("a fault of syntax is found by that parser", () => {
    put("modules/testbed_kvm/manifests/init.pp", "class testbed_kvm {\n");
    expect(() => execFileSync("/usr/bin/puppet", ["parser", "validate", "modules"], { cwd: source, stdio: "pipe" })).toThrow(
      "Syntax error",
    );
  });
});
