// State that is moved, an `up` that failed before its stores, and a destroy where machines do not answer.
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { identity } from "../support/identity.ts";
import { fault, powerOf } from "../support/lab.ts";
import { green, halfOfLab, type Project, red } from "../support/project.ts";
import { remains } from "../support/remains.ts";

const rowMilliseconds = 400_000;
let project: Project;
let clean: string[];

beforeAll(async () => {
  clean = await remains();
  project = await halfOfLab("kvm");
}, rowMilliseconds);

afterEach(async () => {
  for (const name of ["h11", "xenserver", "nfs"]) await fault(name, "clear");
});

afterAll(async () => {
  await project.destroy();
  project.remove();
  await closeSharedSsh();
}, rowMilliseconds);

test(
  "an `up` whose stores' disk is read-only is healed by the next up",
  async () => {
    await fault("nfs", "read-only");
    expect(await red(project.up())).toMatch(/half-kvm-primary.*read-only/);
    await fault("nfs", "clear");
    expect(await green(project.up())).not.toMatch(/(Host|VirtualMachine) \S+ (created|updated)/);
    expect((await fetch((await project.output<{ url: string }>("managementServer")).url)).status).toBe(401);
  },
  rowMilliseconds,
);

const generation = (project: Project, from: string, to: string) =>
  project.edit(project.stackFile, (text) =>
    text.replace(`cloudstack-testbed:generation: "${from}"`, `cloudstack-testbed:generation: "${to}"`),
  );

test(
  "a state that is moved is refused until `testbed takeover`, then nothing is installed again, and the old place is shut out",
  async () => {
    const before = await identity(project);
    const moved = await halfOfLab("kvm");
    const file = join(project.folder, "moved.json");
    await green(project.pulumi("stack", "export", "--stack", "kvm", "--file", file));
    await green(moved.pulumi("stack", "import", "--stack", "kvm", "--file", file));
    generation(moved, "1", "2");
    const refused = await red(moved.up());
    expect(refused).toMatch(/held by cloudstack-testbed:cloudstack-testbed\/kvm\/[0-9a-f]{16}/);
    expect(refused).toContain("testbed takeover");
    expect(await identity(project)).toEqual(before);
    generation(moved, "2", "1");
    expect(await green(moved.testbed("takeover", "--yes"))).toContain("taken over: VM management");
    await green(moved.up());
    const old = project;
    project = moved;
    const after = await identity(moved);
    expect(after).toEqual({ ...before, claims: expect.any(Array) });
    generation(old, "1", "2");
    await red(old.up());
    expect(await identity(moved)).toEqual(after);
    old.remove();
  },
  rowMilliseconds,
);

test(
  "a destroy where a BMC and the XenServer do not answer removes the rest and names them; once they answer, it finishes",
  async () => {
    await fault("h11", "deaf");
    await fault("xenserver", "down");
    const output = await red(project.destroy());
    expect(output).toMatch(/Host h11 .*BMC 10\.91\.1\.11: the BMC does not answer/);
    expect(output).toMatch(/VirtualMachine management .*XenServer 10\.91\.0\.5: connect ECONNREFUSED/);
    expect(output).toContain("Host h12 deleted");
    await fault("h11", "clear");
    await fault("xenserver", "clear");
    expect(await remains()).not.toContain("/var/lib/cobbler/collections/systems/h12.json");
    await green(project.destroy());
    expect(await remains()).toEqual(clean);
    for (const name of ["h11", "h12"]) expect([name, await powerOf(name)]).toEqual([name, "off"]);
    expect(await green(project.destroy())).not.toMatch(/ deleted \(/);
  },
  rowMilliseconds,
);
