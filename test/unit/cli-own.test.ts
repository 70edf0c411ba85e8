import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { parseDigest, urnParts, wantedResources } from "../../runner/digest.ts";
import { holderText } from "../../runner/own-stack.ts";
import { concernsHost, hostNames, type Surveyed } from "../../runner/survey.ts";
import { ours, theirs } from "../support/context.ts";

const prefix = "urn:pulumi:kvm::cloudstack-testbed::testbed:index:Environment$pulumi-nodejs:dynamic/";
const step = (op: string, type: string, name: string, inputs: object) => ({
  op,
  urn: `${prefix}${type}::${name}`,
  newState: { inputs: { __owner: "p/s/0", __provider: "text", ...inputs } },
});
const digest = {
  changeSummary: {},
  steps: [
    { op: "create", urn: "urn:pulumi:kvm::cloudstack-testbed::testbed:index:Environment::kvm", newState: { inputs: {} } },
    step("create", "site:Lease", "lab-lease", { claims: ["machine/h11", "machine/h12", "address/10.0.0.11"] }),
    step("same", "cobbler:System", "h11", { name: "h11" }),
    step("update", "baremetal:Host", "h11", { name: "h11", address: "10.0.0.11", bmc: { address: "10.0.1.11" } }),
    step("create", "baremetal:Host", "h12", { name: "h12", address: "10.0.0.12", bmc: { address: "10.0.1.12" } }),
    step("delete", "cobbler:System", "h99", { name: "h99" }),
  ],
};
const wanted = wantedResources(digest);
const row = (type: string, object: string, inputs: Record<string, unknown>): Surveyed => ({
  resource: { type, name: "x", inputs },
  holding: { object, system: "driver", holder: theirs },
  differences: [],
});

test("what a stack wants is every resource with our mark that stays, without the engine's own properties", () => {
  expect(wanted.map(({ type, name }) => `${type} ${name}`)).toEqual([
    "site:Lease lab-lease",
    "cobbler:System h11",
    "baremetal:Host h11",
    "baremetal:Host h12",
  ]);
  expect(wanted[1]?.inputs).toEqual({ name: "h11" });
  expect(hostNames(wanted)).toEqual(["h11", "h12"]);
});

test.each([
  ["its machine's claim", row("site:Lease", "machine/h11", { claims: ["machine/h11"] }), true],
  ["its address's claim", row("site:Lease", "address/10.0.0.11", { claims: ["address/10.0.0.11"] }), true],
  ["its BMC's claim", row("site:Lease", "bmc/10.0.1.11", { claims: [] }), true],
  ["its system", row("cobbler:System", "system h11", { name: "h11" }), true],
  ["its certificate", row("puppet:Certificate", "certificate h11.lab.test", { certname: "h11.lab.test" }), true],
  ["another machine's certificate", row("puppet:Certificate", "certificate h110.lab.test", { certname: "h110.lab.test" }), false],
  ["another machine's claim", row("site:Lease", "machine/h12", { claims: ["machine/h12"] }), false],
  ["an address that only begins like its own", row("site:Lease", "address/10.0.0.110", { claims: [] }), false],
  ["another machine's system", row("cobbler:System", "system h12", { name: "h12" }), false],
  ["a distro", row("cobbler:Distro", "distro hv", { name: "hv" }), false],
])("%s concerns a machine or does not", (_, one, concerns) => {
  expect(concernsHost(one, wanted, "h11")).toBe(concerns);
});

test.each([
  [undefined, "nobody"],
  [ours, "this stack"],
  [theirs, `stack contract from another state (owner ${theirs.owner})`],
  [{ ...theirs, stack: "xen" }, `stack xen of cloudstack-testbed (owner ${theirs.owner})`],
])("a holder is put in words: %j", (holder, words) => {
  expect(holderText(holder, ours)).toBe(words);
});

test("a URN gives type and name, also where the name holds colons", () => {
  expect(urnParts(`${prefix}cobbler:System::h11::eth0`)).toEqual({ type: "cobbler:System", name: "h11::eth0" });
});

test.each(["", "no JSON at all", '{"steps": [', "plugin says hello\n{broken"])("a digest that is none is told as that: %j", (output) => {
  expect(() => parseDigest(output)).toThrow("printed something else than one JSON object");
});

test("lines of plugins before the digest do no harm", () => {
  expect(parseDigest('warning: x\n{"steps": [], "changeSummary": {"same": 3}}\n').changeSummary).toEqual({ same: 3 });
});

const folder = mkdtempSync(join(tmpdir(), "testbed-own-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [["leases", "h11"], 2, "too many arguments"],
  [["leases", "--stack", "nope"], 2, "There is no stack nope"],
  [["takeover", "--nope"], 2, "unknown option"],
  [["takeover", "h11", "--stack", "nope"], 2, "There is no stack nope"],
  [["adopt", "h11"], 2, "too many arguments"],
  [["adopt", "--stack", "nope"], 2, "There is no stack nope"],
])("wrong use of %j is refused with status %d", (words, wantedStatus, message) => {
  const { TESTBED_INSIDE_LAB: _inside, NODE_OPTIONS: _options, STACK: _stack, ...environment } = process.env;
  const { status, stderr } = spawnSync("cli/testbed.sh", words, {
    encoding: "utf8",
    env: { ...environment, PULUMI_BACKEND_URL: `file://${folder}/state` },
    timeout: 30_000,
  });
  expect(status).toBe(wantedStatus);
  expect(stderr).toContain(message);
});
