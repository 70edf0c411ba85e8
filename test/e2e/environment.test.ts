// The real engine, the real daemons, light hosts: what an operator does with an environment, in one run of its life.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { fault } from "../support/lab.ts";
import { Project } from "../support/project.ts";

let project: Project;

beforeAll(async () => {
  project = new Project();
  await project.init();
});

// A failed row must not spoil the next one.
afterEach(() => fault("h11", "clear"));

afterAll(async () => {
  await project.destroy();
  project.remove();
});

test("up proves four hosts at the wanted generation", async () => {
  const { status, output } = await project.up();
  expect(output).toContain("created");
  expect(status).toBe(0);
  const hosts = await project.hosts();
  expect(Object.keys(hosts)).toEqual(["h11", "h12", "h13", "h14"]);
  expect(new Set(Object.values(hosts).map((host) => host.tokenFingerprint)).size).toBe(4);
});

test("the change set needed one full sync", () => {
  expect(project.journal().filter((entry) => entry.type === "cobbler:Sync" && entry.event === "end")).toHaveLength(1);
});

test("a second up does nothing at all: no operation reaches a provider", async () => {
  const before = project.journal().length;
  const { status } = await project.preview("--expect-no-changes");
  expect(status).toBe(0);
  const again = await project.up();
  expect(again.status).toBe(0);
  expect(again.output).not.toMatch(/created|updated/);
  expect(project.journal()).toHaveLength(before);
});

test("no secret stands in the state, the journal or the output", async () => {
  const key = readFileSync(join(import.meta.dirname, "../../lab/keys/id_ed25519"), "utf8").split("\n")[1] as string;
  const { output } = await project.pulumi("stack", "export", "--stack", "kvm");
  const journal = readFileSync(join(project.folder, ".testbed/kvm/journal.jsonl"), "utf8");
  for (const text of [project.state(), output, journal]) {
    for (const secret of ["lab-cobbler", "labpass", key]) expect(text).not.toContain(secret);
  }
});

test("state per resource stays below 12 KB", () => {
  const { checkpoint } = JSON.parse(project.state()) as { checkpoint: { latest: { resources: { urn: string }[] } } };
  for (const resource of checkpoint.latest.resources)
    expect([resource.urn, JSON.stringify(resource).length < 12_000]).toEqual([resource.urn, true]);
});

test("a host's own generation re-images exactly that host, even when its first network boot gets lost", async () => {
  const before = await project.hosts();
  project.edit("Pulumi.kvm.yaml", (text) =>
    text.replace("cloudstack-testbed:cloudstack:", 'cloudstack-testbed:generations:\n    h11: "2"\n  cloudstack-testbed:cloudstack:'),
  );
  await fault("h11", "pxe-lost", "1");
  const { status, output } = await project.up();
  expect(output).toContain("the network boot got lost");
  expect(status).toBe(0);
  const after = await project.hosts();
  expect(after.h11?.tokenFingerprint).not.toBe(before.h11?.tokenFingerprint);
  expect(after.h11?.hostKey).not.toBe(before.h11?.hostKey);
  for (const name of ["h12", "h13", "h14"]) expect(after[name]?.tokenFingerprint).toBe(before[name]?.tokenFingerprint);
});

test("a host whose old disk boots fails alone, by name, and the next up heals it", async () => {
  await fault("h11", "old-disk-boots");
  project.edit("Pulumi.kvm.yaml", (text) => text.replace('h11: "2"', 'h11: "3"\n    h12: "3"'));
  const red = await project.up();
  expect(red.status).not.toBe(0);
  expect(red.output).toContain("h11 on host 10.91.0.11: the old system answers instead of the new one");
  expect(red.output).toContain("Host h12 updated");
  expect(red.output).not.toContain("failed to register");
  await fault("h11", "clear");
  const healed = await project.up();
  expect(healed.status).toBe(0);
  expect(healed.output).not.toMatch(/Host h12 updated/);
});

test("an installer that powers the machine off is told as that", async () => {
  await fault("h11", "install-powers-off");
  project.edit("Pulumi.kvm.yaml", (text) => text.replace('h11: "3"', 'h11: "4"'));
  project.edit("environments/lab/inventory.yaml", (text) => text.replace("installSeconds: 240", "installSeconds: 12"));
  const { status, output } = await project.up();
  expect(status).not.toBe(0);
  expect(output).toContain("powered itself off");
  await fault("h11", "clear");
  project.edit("environments/lab/inventory.yaml", (text) => text.replace("installSeconds: 12 ", "installSeconds: 240 "));
  expect((await project.up()).status).toBe(0);
});

test("a BMC that ignores power on is told as that", async () => {
  await fault("h11", "stays-on");
  project.edit("Pulumi.kvm.yaml", (text) => text.replace('h11: "4"', 'h11: "5"'));
  const { status, output } = await project.up();
  expect(status).not.toBe(0);
  expect(output).toContain("power on BMC 10.91.1.11: waited");
  await fault("h11", "clear");
  expect((await project.up()).status).toBe(0);
}, 240_000);

test("the same stack from another state is refused, naming the holder", async () => {
  const other = new Project();
  await other.init();
  const { status, output } = await other.up();
  expect(status).not.toBe(0);
  expect(output).toMatch(/machine\/h11 is held by cloudstack-testbed:cloudstack-testbed\/kvm\/[0-9a-f]{16} since/);
  await other.destroy();
  other.remove();
});

test("a host of the marvin file that no inventory knows stops the program before anything is touched", async () => {
  const before = project.journal().length;
  project.edit("environments/lab/lab-kvm.cfg", (text) => text.replace("http://h14", "http://h99"));
  const { status, output } = await project.preview();
  expect(status).not.toBe(0);
  expect(output).toContain("TB120");
  expect(output).toMatch(/environments\/lab\/lab-kvm\.cfg:\d+:\d+/);
  expect(project.journal()).toHaveLength(before);
  project.edit("environments/lab/lab-kvm.cfg", (text) => text.replace("http://h99", "http://h14"));
});

test("destroy leaves nothing, and destroying again succeeds", async () => {
  expect((await project.destroy()).status).toBe(0);
  const reply = await fetch("http://10.91.0.1/cblr/svc/op/list/what/systems");
  expect((await reply.text()).trim()).toBe("");
  expect((await project.destroy()).status).toBe(0);
}, 240_000);
