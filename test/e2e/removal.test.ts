// What a destroy leaves of a half-built environment, and state that is lost. test/long/removal.test.ts has what takes longer.
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { identity } from "../support/identity.ts";
import { fault } from "../support/lab.ts";
import { green, halfOfLab, type Project, red } from "../support/project.ts";
import { remains } from "../support/remains.ts";

const rowMilliseconds = 300_000;
const volume = "/srv/nfs/half-kvm-primary/volume";
let project: Project;
let clean: string[];

beforeAll(async () => {
  clean = await remains();
  project = await halfOfLab("kvm");
}, rowMilliseconds);

afterEach(async () => {
  for (const name of ["h11", "xenserver"]) await fault(name, "clear");
});

afterAll(async () => {
  await project.destroy();
  project.remove();
  await closeSharedSsh();
}, rowMilliseconds);

test(
  "an `up` that failed in the middle names what failed, and is destroyed without a rest, twice",
  async () => {
    project.edit("environments/lab/inventory.yaml", (text) => text.replace("installSeconds: 240", "installSeconds: 12"));
    await fault("h11", "install-hangs");
    await fault("xenserver", "sr-full");
    const output = await red(project.up());
    expect(output).toMatch(/h11.*installer/);
    expect(output).toMatch(/VirtualMachine \(management\):[\s\S]*VDI\.create on XenServer 10\.91\.0\.5: SR_FULL/);
    await green(project.destroy());
    expect(await remains()).toEqual(clean);
    expect(await green(project.destroy())).not.toMatch(/ deleted \(/);
    project.edit("environments/lab/inventory.yaml", (text) => text.replace("installSeconds: 12 ", "installSeconds: 240 "));
  },
  rowMilliseconds,
);

test(
  "after the state is lost, up adopts machines, VM, stores, certificates and lease as they are",
  async () => {
    await green(project.up());
    writeFileSync(volume, "of the cloud");
    const before = await identity(project);
    await green(project.pulumi("stack", "rm", "kvm", "--force", "--yes", "--preserve-config"));
    await project.init();
    await green(project.up());
    expect(await identity(project)).toEqual(before);
    expect(await remains()).toContain(volume);
    await green(project.preview("--expect-no-changes"));
  },
  rowMilliseconds,
);
