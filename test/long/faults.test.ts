// What the site can do wrong below an `up` of a new management server, what the operator sees of it, and that the next `up` heals it.
// Two light hosts, one environment for all rows. Faults of hosts and BMCs are rows of test/e2e/environment.test.ts.
import { execFileSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { fault } from "../support/lab.ts";
import { green, operations, Project, red } from "../support/project.ts";

const rowMilliseconds = 400_000;
const primary = "/srv/nfs/half-kvm-primary";
const secondary = "/srv/nfs/half-kvm-secondary";
let project: Project;
let generation = 1;

beforeAll(async () => {
  project = new Project();
  project.edit("Pulumi.kvm.yaml", (text) =>
    text
      .replace("lab-kvm.cfg", "half-kvm.cfg")
      .replace(
        "  cloudstack-testbed:cloudstack:",
        '  cloudstack-testbed:generations:\n    management: "1"\n  cloudstack-testbed:cloudstack:',
      ),
  );
  project.edit("environments/lab/inventory.yaml", (text) =>
    text.replace("installSeconds: 240", "installSeconds: 30, startSeconds: 15, runSeconds: 10"),
  );
  await project.init();
  await green(project.up());
}, rowMilliseconds);

async function clear(): Promise<void> {
  for (const name of ["management", "xenserver", "nfs", "puppetserver", "h11"]) await fault(name, "clear");
}

afterEach(clear);

afterAll(async () => {
  await project.destroy();
  project.remove();
  await closeSharedSsh();
}, rowMilliseconds);

/** The management server is to be installed anew: its VM, certificate, stores, role and cloud. */
function newManagementServer(): void {
  project.edit("Pulumi.kvm.yaml", (text) => text.replace(`management: "${generation}"`, `management: "${++generation}"`));
}

/** The server that the next `up` made; its cloud answers. */
async function heals(): Promise<void> {
  const done = operations(await green(project.up()));
  expect(done).toContain("cloudstack:ManagementServer management updated");
  expect(done.filter((row) => row.startsWith("baremetal:"))).toEqual([]);
  await green(project.preview("--expect-no-changes"));
}

describe("a fault that somebody has to mend is named, and the next up heals it:", () => {
  test.each([
    ["a task of XenServer fails", ["xenserver", "task-fails", "9"], /VM\.\w+ on XenServer 10\.91\.0\.5: INTERNAL_ERROR/],
    [
      "XenServer shows another certificate",
      ["xenserver", "wrong-certificate"],
      /XenServer 10\.91\.0\.5.*certificate.*F0:?82:?1E|certificate.*f0:?82:?1e/i,
    ],
    ["XenServer is down", ["xenserver", "down"], /XenServer 10\.91\.0\.5: connect ECONNREFUSED/],
    ["the management server never comes up", ["management", "cloud-never-up"], /management server 10\.91\.0\.41.*waited.*log/],
    ["its database is missing", ["management", "cloud-no-database"], /port 3306 on management server 10\.91\.0\.41/],
    ["its port 8096 is missing", ["management", "cloud-no-open-port"], /port 8096 on management server 10\.91\.0\.41/],
    ["its API is missing", ["management", "cloud-no-api"], /port 8080 on management server 10\.91\.0\.41/],
    ["the disk of the stores is not mounted", ["nfs", "not-mounted"], /half-kvm-primary.*mount/],
    ["the disk of the stores is read-only", ["nfs", "read-only"], /half-kvm-primary.*read-only/],
    [
      "two stores are one directory",
      ["nfs", "same-directory", `${primary}:${secondary}`],
      /half-kvm-(primary|secondary).*same directory|is.*under two names/,
    ],
    ["a store's marker names another stack", ["nfs", "stale-marker", secondary], /half-kvm-secondary.*another/],
    [
      "its puppet run never ends",
      ["management", "run-hangs"],
      /puppet run of management\.lab\.test.*did not end within 10 s.*limits\.runSeconds/,
    ],
    ["its puppet run fails", ["management", "run-fails"], /puppet run of management\.lab\.test.*Could not find package/],
    ["the master compiles nothing", ["management", "catalog-fails"], /puppet run of management\.lab\.test.*catalog/],
    [
      "the CA refuses the driver",
      ["puppetserver", "forbidden"],
      /certificate management\.lab\.test.*the CA refuses the driver's own certificate/,
    ],
    ["its clock is an hour off", ["management", "clock-off", "1"], /the clock of host 10\.91\.0\.41 says .* s ahead/],
  ] as const)(
    "%s",
    async (_, words, says) => {
      await fault(...words);
      newManagementServer();
      expect(await red(project.up())).toMatch(says);
      await clear();
      await heals();
    },
    rowMilliseconds,
  );
});

describe("a fault that passes is waited out, and the row says so:", () => {
  test.each([
    ["connections to XenServer are cut after calls were done", ["xenserver", "connection-cut", "5"], /VirtualMachine management/],
    ["the other host of the pool coordinates it", ["xenserver", "slave"], /VirtualMachine management/],
    ["every session of XenServer ends", ["xenserver", "session-expires"], /VirtualMachine management/],
    ["the management server restarts when it is first asked", ["management", "cloud-restarts"], /waiting for the API/],
    [
      "another run of the agent is going on",
      ["management", "agent-running"],
      /waiting for a run of the agent that is going on|puppet run as/,
    ],
    ["the disk of the stores is full", ["nfs", "full"], /nfs:Store/],
  ] as const)(
    "%s",
    async (_, words, says) => {
      await fault(...words);
      newManagementServer();
      expect(await green(project.up())).toMatch(says);
      await clear();
      await green(project.preview("--expect-no-changes"));
    },
    rowMilliseconds,
  );
});

test(
  "a VM that was deleted by hand is drift: the next up makes it anew, with a new cloud on emptied stores",
  async () => {
    execFileSync("touch", [`${primary}/old`]);
    await fault("management", "deleted");
    await green(project.refresh());
    const done = operations(await green(project.up()));
    expect(done).toContain("xenserver:VirtualMachine management created");
    expect(execFileSync("ls", [primary], { encoding: "utf8" })).toBe("");
    await green(project.preview("--expect-no-changes"));
  },
  rowMilliseconds,
);
