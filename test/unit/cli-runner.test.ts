import { expect, test } from "@jest/globals";
import type { CaseResult } from "../../runner/case.ts";
import { junitXml } from "../../runner/junit.ts";
import { type ExpectedHost, environmentSuite, type ProvedHost, type SiteProbe } from "../../runner/suite.ts";
import { suiteStatus, summarize } from "../../runner/summary.ts";

const host: ProvedHost = {
  name: "h11",
  address: "10.91.0.11",
  hostKey: "ssh-ed25519 A",
  tokenFingerprint: "fp:t1",
  profile: "lab-kvm",
  generation: "1",
};
const expected: ExpectedHost[] = [{ name: "h11", fqdn: "h11.lab.test", profile: "lab-kvm", generation: "1", role: "kvm-host" }];
const report = { status: "changed" as const, time: "2026-11-25T10:00:00Z", failed: [], changed: 3, skipped: 0 };
const lastRun = { role: "kvm-host", done: "r1", report };

function probe(changes: Partial<SiteProbe> = {}): SiteProbe {
  return {
    installation: async () => ({ system: "h11", profile: "lab-kvm", generation: "1", token: "t1" }),
    system: async () => ({ profile: "lab-kvm", netboot: false }),
    addresses: async () => ["10.91.0.11"],
    names: async () => ["h11.lab.test"],
    clock: async () => undefined,
    lastRun: async () => lastRun,
    ...changes,
  };
}

const prove = (changes: Partial<SiteProbe> = {}, hosts: ProvedHost[] = [host], dns = true) =>
  environmentSuite({ expected, hosts, probe: probe(changes), fingerprint: (token) => `fp:${token}`, dns });

const bad = (results: CaseResult[]) => results.filter((result) => result.verdict !== "ok");

test("a host that is as it should be passes every check", async () => {
  const results = await prove();
  expect(results.map((result) => result.verdict)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  expect(suiteStatus(results)).toBe(0);
});

test("names are not asked for where the site's DNS is not ours", async () => {
  expect(await prove({ addresses: () => Promise.reject(new Error("asked")) }, [host], false)).toHaveLength(4);
});

test("no role is asked for where the site has no puppet", async () => {
  const request = {
    expected: [{ ...expected[0], role: undefined }] as typeof expected,
    hosts: [host],
    fingerprint: () => "fp:t1",
    dns: true,
  };
  const results = await environmentSuite({ ...request, probe: probe({ lastRun: () => Promise.reject(new Error("asked")) }) });
  expect(bad(results)).toEqual([]);
});

const answers = { system: "h11", profile: "lab-kvm", generation: "1", token: "t1" };
test.each<[string, Partial<SiteProbe>, string]>([
  ["another token", { installation: async () => ({ ...answers, token: "t0" }) }, "another installation answers"],
  ["no token", { installation: async () => ({ system: "h11", profile: "lab-kvm", generation: "1" }) }, "no install token"],
  ["another profile", { installation: async () => ({ ...answers, profile: "lab-xen" }) }, "profile should be lab-kvm, and is lab-xen"],
  ["an old generation", { installation: async () => ({ ...answers, generation: "0" }) }, "generation should be 1, and is 0"],
  ["another machine's proof", { installation: async () => ({ ...answers, system: "h12" }) }, "system should be h11, and is h12"],
  ["an empty proof", { installation: async () => ({}) }, "system should be h11, and is not said"],
  ["no system in cobbler", { system: async () => undefined }, "cobbler has no system h11"],
  ["netboot still on", { system: async () => ({ profile: "lab-kvm", netboot: true }) }, "netboot should be false, and is true"],
  ["another profile in cobbler", { system: async () => ({ profile: "x", netboot: false }) }, "profile should be lab-kvm, and is x"],
  ["a name nobody knows", { addresses: async () => [] }, "h11.lab.test should be 10.91.0.11, and is unknown"],
  ["a name with two addresses", { addresses: async () => ["10.91.0.11", "10.91.0.99"] }, "and is 10.91.0.11, 10.91.0.99"],
  ["a clock that is off", { clock: async () => "the clock of host 10.91.0.11 is 3600 s ahead" }, "3600 s ahead"],
  ["another role", { lastRun: async () => ({ ...lastRun, role: "base" }) }, "role should be kvm-host, and is base"],
  ["no role", { lastRun: async () => ({ role: "", done: "", report }) }, "role should be kvm-host, and is not said"],
  ["a run of ours that did not end well", { lastRun: async () => ({ ...lastRun, done: "" }) }, "no run of ours has ended well"],
  ["no report", { lastRun: async () => ({ ...lastRun, report: undefined }) }, "keeps no report"],
  ["a report without a catalog", { lastRun: async () => ({ ...lastRun, report: { ...report, status: "failed" as const } }) }, "no catalog"],
  [
    "a report with a failed resource",
    { lastRun: async () => ({ ...lastRun, report: { ...report, failed: [{ resource: "Package[x]", message: "no room", place: "" }] } }) },
    "Package[x] no room",
  ],
  ["an address without a name", { names: async () => [] }, "10.91.0.11 should be h11.lab.test, and is unknown"],
])("a host with %s fails exactly one check, with expected and seen", async (_what, changes, text) => {
  const results = await prove(changes);
  expect(bad(results)).toHaveLength(1);
  expect(bad(results)[0]?.message).toContain(text);
  expect(suiteStatus(results)).toBe(1);
});

test.each([
  ["host key", { hostKey: "" }],
  ["token", { tokenFingerprint: "" }],
])("a host without a pinned %s is not even asked", async (_what, changes) => {
  const results = await prove({ installation: () => Promise.reject(new Error("asked")) }, [{ ...host, ...changes }]);
  expect(results).toMatchObject([{ verdict: "failed", message: expect.stringContaining("no proved installation") }]);
});

test("a host that the plan asks for and the stack does not have fails", async () => {
  const results = await prove({}, []);
  expect(results).toMatchObject([{ host: "h11", verdict: "failed" }]);
  expect(suiteStatus(results)).toBe(1);
});

test("no answer is an infrastructure failure and keeps the reason", async () => {
  const results = await prove({ installation: () => Promise.reject(new Error("connection refused")) });
  expect(bad(results)).toMatchObject([{ verdict: "error", message: "connection refused" }]);
  expect(suiteStatus(results)).toBe(3);
});

test("no answer weighs more than a wrong answer", async () => {
  const results = await prove({ installation: () => Promise.reject(new Error("x")), system: async () => undefined });
  expect(suiteStatus(results)).toBe(3);
});

test("a suite without a single check proves nothing", () => {
  expect(suiteStatus([])).toBe(3);
});

test("the summary names what is wrong before it counts", async () => {
  const text = summarize(await prove({ names: async () => [] }));
  expect(text).toMatch(/^FAILED h11: DNS[\s\S]*\nmachines and stores: 0 of 1 proved; 4 of 5 checks passed\n$/);
});

test("JUnit XML counts failures and errors and survives any text", () => {
  const message = 'first "line" <&>\n]]> \u0007 end';
  const results: CaseResult[] = [
    { host: "h1", name: "a", verdict: "ok", seconds: 0.5 },
    { host: "h2", name: "b", verdict: "failed", seconds: 1, message },
    { host: "h3", name: "c", verdict: "error", seconds: 2, message },
  ];
  const xml = junitXml("environment", results, { stack: "kvm" });
  expect(xml).toContain('<testsuites tests="3" failures="1" errors="1" time="2.000">');
  expect(xml).toContain('<property name="stack" value="kvm"/>');
  expect(xml).not.toContain("\u0007");
  expect(xml).toContain("]]&gt;");
});
