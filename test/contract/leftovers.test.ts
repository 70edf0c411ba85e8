// What carries a mark on the systems of the lab, listed and removed by what `testbed leftovers` uses; then the command itself.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { distro, profile } from "../../providers/cobbler/index.ts";
import { host as entry } from "../../providers/dnsmasq/index.ts";
import { type Mark, markText, ownerId } from "../../providers/kernel/index.ts";
import type { MarkedSystem } from "../../providers/kernel/marked.ts";
import { certificate, modules, modulesDigest } from "../../providers/puppet/index.ts";
import { lease } from "../../providers/site/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { ask } from "../../runner/ask-systems.ts";
import type { Row } from "../../runner/leftover-rows.ts";
import { markedSystems } from "../../runner/marked-systems.ts";
import { removeRows } from "../../runner/remove-leftovers.ts";
import type { Inventory } from "../../stacks/inventory.ts";
import { loadInputs } from "../../stacks/load.ts";
import { aDistro, aProfile, aRepo, aSnippet, aSystem, aTemplate, makeObjects, removeObjects } from "../support/cobbler-objects.ts";
import { apply, drop, ours, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { dnsmasq, driver } from "../support/light-host.ts";
import { converge, remove, storeAt } from "../support/nfs-server.ts";
import { master } from "../support/puppet.ts";
import { Pool } from "../support/xen-server.ts";

const checkout = join(import.meta.dirname, "../..");
const systems = markedSystems(loadInputs(checkout, { stack: "kvm" }).inventory as Inventory);
const anEntry = { ...dnsmasq, name: "leftover", mac: "52:54:00:91:95:01", address: "10.91.0.217" };
const aLease = { server: driver, claims: ["machine/leftover", "address/10.91.0.217"] };
const aCertificate = { server: driver, master, certname: "leftover.lab.test", generation: "1" };
const modulesDirectory = "/srv/puppet/environments/production/modules";
const source = join(checkout, "appliance");
const someModules = { server: driver, source, digest: modulesDigest(source), modulesDirectory };
const storePath = "/srv/nfs/leftover";

/** What of a mark a system has, in its order. */
const listed = async (system: MarkedSystem, mark = ours): Promise<Row[]> =>
  (await system.list(testContext())).flatMap((object) =>
    object.marks.some((one) => markText(one) === markText(mark)) ? [{ system, object, mark }] : [],
  );
const everything = async () => (await Promise.all(systems.map((system) => listed(system)))).flat();
const names = (rows: readonly Row[]) => rows.map(({ object }) => object.object);

async function makeHalfVm(): Promise<void> {
  const pool = new Pool();
  await pool.api.connect();
  const [template] = await pool.api.call("VM.get_by_name_label", "Other install media");
  await pool.api.call("VM.clone", template, `leftover (being made by ${markText(ours)})`);
  await pool.api.disconnect();
}

beforeAll(async () => {
  await makeObjects();
  await apply(entry, anEntry);
  await apply(lease, aLease);
  await apply(certificate, aCertificate);
  await apply(modules, someModules);
  await converge(storePath);
  await makeHalfVm();
});

afterEach(async () => {
  for (const name of ["cobblerd", "xenserver"]) await fault(name, "clear");
});

afterAll(async () => {
  try {
    await removeObjects();
    await drop(entry, anEntry);
    await drop(lease, aLease);
    await drop(certificate, aCertificate);
    await drop(modules, someModules);
    await remove(storePath);
  } finally {
    await closeSharedSsh();
  }
});

describe("what carries a mark", () => {
  let all: Row[];
  beforeAll(async () => {
    all = await everything();
  });

  test("is listed on every system, machines first and claims last", () => {
    const roles = ["testbed_base", "testbed_kvm", "testbed_management", "testbed_packages"];
    expect(names(all).filter((name) => !/contract\S*-2/.test(name))).toEqual([
      "VM leftover",
      `system ${aSystem.name}`,
      `profile ${aProfile.name}`,
      `distro ${aDistro.name}`,
      `repo ${aRepo.name}`,
      `template ${aTemplate.name}`,
      `snippet ${aSnippet.name}`,
      "entry leftover",
      "certificate leftover.lab.test",
      ...roles.map((name) => `puppet module ${modulesDirectory}/${name}`),
      `store ${storePath}`,
      "claim address/10.91.0.217",
      "claim machine/leftover",
    ]);
  });

  test.each<[string, string, Record<string, unknown>]>([
    ["system contract-c1", "cobbler:System", aSystem],
    ["profile contract-profile", "cobbler:Profile", aProfile],
    ["distro contract-distro", "cobbler:Distro", aDistro],
    ["repo contract-repo", "cobbler:Repo", aRepo],
    ["template contract.sh", "cobbler:Template", aTemplate],
    ["snippet contract/part", "cobbler:Snippet", aSnippet],
    ["entry leftover", "dnsmasq:Host", anEntry],
    ["certificate leftover.lab.test", "puppet:Certificate", aCertificate],
    [`puppet module ${modulesDirectory}/testbed_kvm`, "puppet:Modules", someModules],
    [`store ${storePath}`, "nfs:Store", storeAt(storePath) as Record<string, unknown>],
    ["claim machine/leftover", "site:Lease", aLease],
    ["VM leftover", "xenserver:VirtualMachine", { name: "leftover" }],
  ])("%s is what the state's %s stands for", (name, type, inputs) => {
    const row = all.find(({ object }) => object.object === name) as Row;
    expect(row.system.keysOf({ type, stack: ours.stack, inputs })).toContain(row.object.key);
    const strangers = systems.filter((system) => system.keysOf({ type, stack: ours.stack, inputs }).length > 0);
    expect(strangers.every((system) => system.system.split(" ")[0] === row.system.system.split(" ")[0])).toBe(true);
  });

  test("stays where another owner asks for its removal", async () => {
    const asTheirs = all.map((row) => ({ ...row, mark: theirs }));
    await removeRows(testContext(theirs), asTheirs);
    expect(names(await everything())).toEqual(names(all));
  });

  test("is not said to be absent on a server that hangs, while the others answer", async () => {
    await fault("cobblerd", "down");
    const cobbler = systems.find(({ system }) => system.startsWith("cobbler")) as MarkedSystem;
    await expect(ask(testContext(), cobbler, 1)).rejects.toThrow(`${cobbler.system} did not say within 1 s what it has`);
    const entries = systems.find(({ system }) => system.startsWith("dnsmasq")) as MarkedSystem;
    expect(names(await listed(entries))).toContain("entry leftover");
  });

  test("on a pool is listed once, whichever host is its coordinator", async () => {
    await fault("xenserver", "slave");
    expect(names(await everything()).filter((name) => name === "VM leftover")).toHaveLength(1);
  });

  test("is removed, but for what others hang on; each failure is told and keeps nobody from the rest", async () => {
    const byHand = { ...aProfile, name: "leftover-foreign" };
    await apply(profile, byHand, testContext(theirs));
    try {
      const { removed, failed } = await removeRows(testContext(), await everything());
      // Cobbler guards what a profile hangs on.
      expect(names(failed.map(({ row }) => row))).toEqual([`distro ${aDistro.name}`, `template ${aTemplate.name}`]);
      expect(failed[0]?.message).toContain("leftover-foreign");
      expect(names(removed)).toEqual(expect.arrayContaining(["VM leftover", "system contract-c1", "entry leftover", `store ${storePath}`]));
    } finally {
      await drop(profile, byHand, testContext(theirs));
    }
    expect((await removeRows(testContext(), await everything())).failed).toEqual([]);
    expect(await everything()).toEqual([]);
  });
});

describe("testbed leftovers", () => {
  const home = mkdtempSync(join(tmpdir(), "leftovers-command-"));
  const backend = `file://${home}/state`;
  const mark: Mark = { ...ours, stack: "kvm", owner: ownerId(backend, ours.project, "kvm") };
  const testbed = (...words: string[]) => {
    const { STACK: _stack, NODE_OPTIONS: _options, ...rest } = process.env;
    const environment = { ...rest, PULUMI_BACKEND_URL: backend, PULUMI_HOME: `${home}/home` };
    const argv = ["leftovers", "--stack", "kvm", ...words];
    return spawnSync(join(checkout, "cli/testbed.sh"), argv, { encoding: "utf8", env: environment, input: "", timeout: 100_000 });
  };
  const entryFile = join(anEntry.hostsDirectory, anEntry.name);

  beforeAll(async () => {
    mkdirSync(`${home}/state`);
    await apply(entry, anEntry, testContext(mark));
    await apply(distro, aDistro, testContext(theirs));
  });
  afterAll(async () => {
    await drop(entry, anEntry, testContext(mark));
    await drop(distro, aDistro, testContext(theirs));
    rmSync(home, { recursive: true });
  });

  test("lists what no state knows with status 1, and other owners' things by their holder", () => {
    const { status, stdout } = testbed();
    expect(stdout).toMatch(/entry leftover +dnsmasq 10\.91\.0\.1 +stack kvm/);
    expect(stdout).toMatch(/owner 00000000000000bb\) on cobbler \S+: distro contract-distro/);
    expect(status).toBe(1);
  });

  test("removes nothing of a stack on which an operation runs", () => {
    const locks = `${home}/state/.pulumi/locks/organization/${ours.project}/kvm`;
    mkdirSync(locks, { recursive: true });
    writeFileSync(`${locks}/a.json`, "{}");
    const { status, stdout } = testbed("--remove", "--json");
    rmSync(`${locks}/a.json`);
    const { leftovers, removed } = JSON.parse(stdout);
    expect(leftovers[0].kept).toContain("pulumi cancel --stack kvm");
    expect({ status, removed, there: existsSync(entryFile) }).toEqual({ status: 1, removed: [], there: true });
  });

  test("that cannot ask one system names it, ends with status 3, and lists and removes the rest", async () => {
    await fault("xenserver", "wrong-certificate");
    const { status, stdout } = testbed("--remove");
    expect(stdout).toMatch(/could not be asked: XenServer 10\.91\.0\.5: .+certificate/);
    expect(stdout).toContain("removed: entry leftover on dnsmasq 10.91.0.1");
    expect(stdout).not.toContain("removed: distro");
    expect({ status, there: existsSync(entryFile) }).toEqual({ status: 3, there: false });
  });

  test("is content with what other owners have", () => {
    const { status, stdout } = testbed();
    expect(stdout).toContain("nothing is left over on site lab\n");
    expect(status).toBe(0);
  });
});
