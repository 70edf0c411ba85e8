// State that is lost or moved, and what a destroy leaves: of a half-built environment, and where machines do not answer.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { listClaims } from "../../providers/site/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { testContext } from "../support/context.ts";
import { fault, powerOf } from "../support/lab.ts";
import { driver } from "../support/light-host.ts";
import { green, Project, red } from "../support/project.ts";
import { listed } from "../support/puppet.ts";
import { remains } from "../support/remains.ts";
import { Pool } from "../support/xen-server.ts";

const rowMilliseconds = 300_000;
const primary = "/srv/nfs/half-kvm-primary";
const names = ["h11", "h12", "management"];
let project: Project;
let clean: string[];

/** A checkout with a state of its own, for the half of the lab that is kvm's. */
async function half(): Promise<Project> {
  const made = new Project();
  made.edit("Pulumi.kvm.yaml", (text) => text.replace("lab-kvm.cfg", "half-kvm.cfg"));
  await made.init();
  return made;
}

beforeAll(async () => {
  clean = await remains();
  project = await half();
}, rowMilliseconds);

afterEach(async () => {
  for (const name of ["h11", "xenserver", "nfs"]) await fault(name, "clear");
});

afterAll(async () => {
  await project.destroy();
  project.remove();
  await closeSharedSsh();
}, rowMilliseconds);

/** What tells one environment from another that was made like it. */
async function identity() {
  const pool = new Pool();
  await pool.api.connect();
  const vms = await pool.vms();
  await pool.api.disconnect();
  return {
    hosts: Object.values(await project.hosts()).map((host) => [host.tokenFingerprint, host.hostKey]),
    vm: vms.map((one) => one.uuid),
    certificates: await Promise.all(names.map((name) => listed(`${name}.lab.test`))),
    claims: (await listClaims(testContext(), driver)).map(({ claim, since }) => `${claim} ${since}`).sort(),
  };
}

describe("an `up` that failed in the middle", () => {
  test(
    "names what failed, and is destroyed without a rest, twice",
    async () => {
      project.edit("environments/lab/inventory.yaml", (text) => text.replace("installSeconds: 240", "installSeconds: 12"));
      await fault("h11", "install-hangs");
      await fault("xenserver", "sr-full");
      const output = await red(project.up());
      expect(output).toMatch(/h11.*installer/);
      expect(output).toMatch(/VirtualMachine \(management\):[\s\S]*VDI\.create on XenServer 10\.91\.0\.5: SR_FULL/);
      expect(output).toContain("Host h12 created");
      await green(project.destroy());
      expect(await remains()).toEqual(clean);
      expect(await green(project.destroy())).not.toMatch(/ deleted \(/);
      project.edit("environments/lab/inventory.yaml", (text) => text.replace("installSeconds: 12 ", "installSeconds: 240 "));
    },
    rowMilliseconds,
  );

  test(
    "before its stores, whose disk is read-only, is healed by the next up",
    async () => {
      await fault("nfs", "read-only");
      expect(await red(project.up())).toMatch(/half-kvm-primary.*read-only/);
      await fault("nfs", "clear");
      expect(await green(project.up())).not.toMatch(/(Host|VirtualMachine) \S+ (created|updated)/);
      expect((await fetch((await project.output<{ url: string }>("managementServer")).url)).status).toBe(401);
    },
    rowMilliseconds,
  );
});

describe("the state", () => {
  test(
    "that is lost: up adopts machines, VM, stores, certificates and lease as they are",
    async () => {
      writeFileSync(`${primary}/volume`, "of the cloud");
      const before = await identity();
      await green(project.pulumi("stack", "rm", "kvm", "--force", "--yes", "--preserve-config"));
      await project.init();
      await green(project.up());
      expect(await identity()).toEqual(before);
      expect(await remains()).toContain(`${primary}/volume`);
      await green(project.preview("--expect-no-changes"));
    },
    rowMilliseconds,
  );

  test(
    "that is moved is refused until `testbed takeover`, and then nothing is installed again",
    async () => {
      const before = await identity();
      const moved = await half();
      const file = join(project.folder, "moved.json");
      await green(project.pulumi("stack", "export", "--stack", "kvm", "--file", file));
      await green(moved.pulumi("stack", "import", "--stack", "kvm", "--file", file));
      moved.edit("Pulumi.kvm.yaml", (text) => text.replace('cloudstack-testbed:generation: "1"', 'cloudstack-testbed:generation: "2"'));
      const refused = await red(moved.up());
      expect(refused).toMatch(/held by cloudstack-testbed:cloudstack-testbed\/kvm\/[0-9a-f]{16}/);
      expect(refused).toContain("testbed takeover");
      expect(await identity()).toEqual(before);
      moved.edit("Pulumi.kvm.yaml", (text) => text.replace('cloudstack-testbed:generation: "2"', 'cloudstack-testbed:generation: "1"'));
      expect(await green(moved.testbed("takeover", "--yes"))).toContain("taken over");
      await green(moved.up());
      const old = project;
      project = moved;
      expect(await identity()).toEqual({ ...before, claims: expect.any(Array) });
      // The place that it was moved from is shut out now.
      old.edit("Pulumi.kvm.yaml", (text) => text.replace('cloudstack-testbed:generation: "1"', 'cloudstack-testbed:generation: "2"'));
      await red(old.up());
      expect(await identity()).toEqual({ ...before, claims: expect.any(Array) });
      old.remove();
    },
    rowMilliseconds,
  );
});

describe("destroy", () => {
  test(
    "where a BMC and the XenServer do not answer removes the rest and names them; once they answer, it finishes",
    async () => {
      await fault("h11", "deaf");
      await fault("xenserver", "down");
      const output = await red(project.destroy());
      expect(output).toMatch(/Host h11 .*BMC 10\.91\.1\.11: the BMC does not answer/);
      expect(output).toMatch(/VirtualMachine management .*XenServer 10\.91\.0\.5: connect ECONNREFUSED/);
      expect(output).toContain("Host h12 deleted");
      expect(await powerOf("h12")).toBe("off");
      const left = await remains().catch((error: Error) => [error.message]);
      expect(left).not.toContain("/var/lib/cobbler/collections/systems/h12.json");
      await fault("h11", "clear");
      await fault("xenserver", "clear");
      await green(project.destroy());
      expect(await remains()).toEqual(clean);
      for (const name of ["h11", "h12"]) expect([name, await powerOf(name)]).toEqual([name, "off"]);
    },
    rowMilliseconds,
  );

  test(
    "of what is gone does nothing",
    async () => {
      expect(await green(project.destroy())).not.toMatch(/ deleted \(/);
    },
    rowMilliseconds,
  );
});
