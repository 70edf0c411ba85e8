// What stands around the cloud: the management server's VM, stores, roles, the API. Two light hosts, the real engine and daemons.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { fault } from "../support/lab.ts";
import { Project } from "../support/project.ts";

const rowMilliseconds = 300_000;
const secondary = "/srv/nfs/half-kvm-secondary";
const primary = "/srv/nfs/half-kvm-primary";
let project: Project;

interface Server {
  address: string;
  release: string;
  url: string;
}

beforeAll(async () => {
  project = new Project();
  project.edit("Pulumi.kvm.yaml", (text) => text.replace("lab-kvm.cfg", "half-kvm.cfg"));
  await project.init();
}, rowMilliseconds);

afterEach(async () => {
  for (const name of ["nfs", "puppetserver", "h11"]) await fault(name, "clear");
});

afterAll(async () => {
  await project.destroy();
  project.remove();
}, rowMilliseconds);

async function green(run: Promise<{ status: number; output: string }>): Promise<string> {
  const { status, output } = await run;
  expect([status, status === 0 || output]).toEqual([0, true]);
  return output;
}

async function server(): Promise<Server> {
  return JSON.parse((await project.pulumi("stack", "output", "--stack", "kvm", "--json", "managementServer")).output) as Server;
}

function setGeneration(from: string, to: string): void {
  project.edit("Pulumi.kvm.yaml", (text) =>
    text.replace(`cloudstack-testbed:generation: "${from}"`, `cloudstack-testbed:generation: "${to}"`),
  );
}

test(
  "an agent whose run fails is told with the resources that failed, and the next up heals it without a new installation",
  async () => {
    await fault("h11", "run-fails");
    const red = await project.up();
    expect(red.status).not.toBe(0);
    expect(red.output).toMatch(/h11\.lab\.test.*(fail|Fail)/);
    expect(red.output).toContain("Run h12.lab.test created");
    // No trace of the program: the failed row and what was not done are all that is said.
    expect(red.output).not.toContain("processTicksAndRejections");
    await fault("h11", "clear");
    const healed = await green(project.up());
    expect(healed).not.toMatch(/baremetal:Host h1[12] (updated|created)/);
  },
  rowMilliseconds,
);

test("the management server answers with the release under test, and its address is an output", async () => {
  const { address, release, url } = await server();
  expect(address).toBe("10.91.0.41");
  expect(release).toMatch(/^4\.20\.3\.0/);
  expect((await fetch(url)).status).toBe(401);
});

test("every store carries the stack's marker and nothing else", () => {
  for (const path of [primary, secondary]) expect(readdirSync(path)).toEqual([".cloudstack-testbed-store"]);
});

test(
  "a second up does nothing",
  async () => {
    await green(project.preview("--expect-no-changes"));
  },
  rowMilliseconds,
);

test(
  "a new generation installs every machine again, empties the stores, and the cloud is a new one",
  async () => {
    mkdirSync(`${primary}/old`);
    writeFileSync(`${primary}/old/.disk`, "old");
    const before = { hosts: await project.hosts(), keys: await apiKey() };
    setGeneration("1", "2");
    await green(project.up());
    const after = await project.hosts();
    for (const name of ["h11", "h12"]) expect(after[name]?.tokenFingerprint).not.toBe(before.hosts[name]?.tokenFingerprint);
    expect(existsSync(`${primary}/old`)).toBe(false);
    expect(await apiKey()).not.toBe(before.keys);
  },
  rowMilliseconds,
);

async function apiKey(): Promise<string> {
  const { output } = await project.pulumi("stack", "export", "--stack", "kvm", "--show-secrets");
  const [, key] = /"apiKey":\s*\{[^}]*"plaintext":\s*"\\"([^"\\]+)/.exec(output) ?? [];
  if (!key) throw new Error("the state has no API key");
  return key;
}

test(
  "a store of another stack is never emptied: the run is red, names the holder, and the next up goes on",
  async () => {
    const marker = `${primary}/.cloudstack-testbed-store`;
    await fault("nfs", "stale-marker", primary);
    writeFileSync(`${primary}/theirs`, "precious");
    setGeneration("2", "3");
    const red = await project.up();
    expect(red.status).not.toBe(0);
    expect(existsSync(`${primary}/theirs`)).toBe(true);
    expect(existsSync(marker)).toBe(true);
    await fault("nfs", "clear");
    const healed = await project.up();
    expect([healed.status, healed.status === 0 || healed.output]).toEqual([0, true]);
    expect(existsSync(`${primary}/theirs`)).toBe(false);
  },
  rowMilliseconds,
);

test(
  "destroy leaves no VM, no store, no certificate and no role",
  async () => {
    await green(project.destroy());
    expect(existsSync(primary) ? readdirSync(primary) : []).toEqual([]);
    expect(existsSync(secondary) ? readdirSync(secondary) : []).toEqual([]);
    await expect(fetch("http://10.91.0.41:8080/client/api", { signal: AbortSignal.timeout(3000) })).rejects.toThrow();
    await green(project.destroy());
  },
  rowMilliseconds,
);
