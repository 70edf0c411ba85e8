// Faults of the inputs: what is reported, where, with which code. The historical rows are made from the figures of the old lab's own files.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { checkAgreement, checkInventory, checkMarvin } from "../../../stacks/agreement.ts";
import { stackConfiguration, stackFileSchema } from "../../../stacks/config.ts";
import { type Finding, renderFindings } from "../../../stacks/findings.ts";
import { inventorySchema } from "../../../stacks/inventory.ts";
import { loadInputs } from "../../../stacks/load.ts";
import { marvinSchema } from "../../../stacks/marvin.ts";
import { parseBySchema } from "../../../stacks/schema.ts";
import { parseMarvinSource, parseYamlSource } from "../../../stacks/source.ts";
import { errorCodesPage } from "../../../tools/error-codes.ts";

const checkout = join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(checkout, file), "utf8");
const inventoryText = read("environments/lab/inventory.yaml");
const marvinText = read("environments/lab/lab-kvm.cfg");
const stackText = read("Pulumi.kvm.yaml");

/** All findings of the lab's three inputs after a change of one of them. */
function findingsOf(change: {
  inventory?: (text: string) => string;
  marvin?: (text: string) => string;
  stack?: (text: string) => string;
}): Finding[] {
  const apply = (text: string, edit?: (text: string) => string) => {
    const after = edit ? edit(text) : text;
    if (edit && after === text) throw new Error("the edit changed nothing");
    return after;
  };
  const inventorySource = parseYamlSource("inventory.yaml", apply(inventoryText, change.inventory));
  const marvinSource = parseMarvinSource("lab.cfg", apply(marvinText, change.marvin));
  const stackSource = parseYamlSource("Pulumi.kvm.yaml", apply(stackText, change.stack));
  const inventory = parseBySchema(inventorySource, inventorySchema, "the site");
  const marvin = parseBySchema(marvinSource, marvinSchema, "the cloud");
  const stack = parseBySchema(stackSource, stackFileSchema, "the stack");
  return [
    ...inventorySource.findings,
    ...marvinSource.findings,
    ...stackSource.findings,
    ...(inventory ? checkInventory(inventory, inventorySource) : []),
    ...(marvin ? checkMarvin(marvin, marvinSource) : []),
    ...(inventory && marvin && stack
      ? checkAgreement(inventory, marvin, stackConfiguration("kvm", stack), {
          inventory: inventorySource,
          marvin: marvinSource,
          config: stackSource,
        })
      : []),
  ];
}

test.each(["kvm", "xen"])("the shipped stack %s is free of findings", (stack) => {
  const { findings, plan } = loadInputs(checkout, { stack });
  expect(findings).toEqual([]);
  expect(plan?.machines.map((machine) => machine.name)).toEqual(["h11", "h12", "h13", "h14"]);
});

describe("the old lab's disagreements", () => {
  test.each([
    ["hosts that no machine list has", { marvin: (t: string) => t.replace("http://h11", "http://apache-81-2") }, "TB120", "apache-81-2"],
    [
      "a gateway that is the network address",
      { inventory: (t: string) => t.replace("gateway: 10.91.0.1,", "gateway: 10.91.0.0,") },
      "TB111",
      "is the network address",
    ],
    [
      "a fixed address inside the dynamic range",
      { inventory: (t: string) => t.replace("domain: lab.test }", "domain: lab.test, dynamic: [{ from: 10.91.0.14, to: 10.91.0.20 }] }") },
      "TB111",
      "lies in the dynamic range",
    ],
    [
      "a password in clear text in a marvin file",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder as it stands in the file
      { marvin: (t: string) => t.replace("${hosts.password}", "password") },
      "TB131",
      "clear text",
    ],
    [
      "a password in clear text in a stack file",
      { stack: (t: string) => t.replace(/password:\n\s+secure: \S+/, "password: secret") },
      "TB131",
      "clear text",
    ],
  ])("%s", (_, change, code, text) => {
    const findings = findingsOf(change);
    expect(findings.map((one) => one.code)).toContain(code);
    expect(renderFindings(findings)).toContain(text);
  });
});

const swap = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

test.each<[string, Parameters<typeof findingsOf>[0], string]>([
  ["the same MAC twice", { inventory: swap("00:12", "00:11") }, "TB110"],
  ["the same address twice", { inventory: swap("address: 10.91.0.12", "address: 10.91.0.11") }, "TB110"],
  ["the driver's address", { inventory: swap("address: 10.91.0.12", "address: 10.91.0.1") }, "TB110"],
  ["the same BMC twice", { inventory: swap("address: 10.91.1.12", "address: 10.91.1.11") }, "TB110"],
  ["an address outside its network", { inventory: swap("address: 10.91.0.12", "address: 10.92.0.12") }, "TB111"],
  ["a broadcast address", { inventory: swap("address: 10.91.0.12", "address: 10.91.0.255") }, "TB111"],
  ["a gateway outside its network", { inventory: swap("gateway: 10.91.0.1,", "gateway: 10.1.0.1,") }, "TB111"],
  ["a network that is not defined", { inventory: swap("network: management", "network: managment") }, "TB112"],
  ["a distro that is not defined", { inventory: swap("distro: lab-hv", "distro: lab-hw") }, "TB112"],
  ["a template that is not defined", { inventory: swap("template: testbed-lab.sh", "template: other.sh") }, "TB112"],
  ["a profile that is not defined", { stack: swap("KVM: lab-kvm", "KVM: lab-kwm") }, "TB112"],
  ["a hypervisor without a profile", { stack: swap("KVM: lab-kvm", "VMware: lab-kvm") }, "TB122"],
  ["a quarantined machine in use", { inventory: swap("state: active", "state: quarantined") }, "TB121"],
  ["a spare machine in use", { inventory: swap("state: active", "state: spare") }, "TB121"],
  ["a machine without a BMC", { inventory: swap(/bmc: \{ address: 10.91.1.11[^}]*\}, /, "") }, "TB103"],
  ["a host in two clusters", { marvin: swap("http://h12", "http://h11") }, "TB110"],
  ["a missing secret", { stack: swap(/ {4}bmc:\n {6}user: lab\n {6}password:\n {8}secure: \S+\n/, "") }, "TB130"],
  [
    "a generation of an unknown machine",
    { stack: swap("cloudstack-testbed:cloudstack:", 'cloudstack-testbed:generations:\n    h19: "2"\n  cloudstack-testbed:cloudstack:') },
    "TB112",
  ],
  ["overlapping pods", { marvin: swap('"startip": "10.91.0.120"', '"startip": "10.91.0.110"') }, "TB123"],
  ["a pod that ends before it starts", { marvin: swap('"endip": "10.91.0.119"', '"endip": "10.91.0.99"') }, "TB123"],
  ["an unknown key of a machine", { inventory: swap("firmware: bios", "firmwear: bios") }, "TB102"],
  ["an unknown key at the top", { inventory: (t) => `${t}nettworks: {}\n` }, "TB102"],
  [
    "an unknown key of ours in the stack file",
    { stack: swap("cloudstack-testbed:generation:", "cloudstack-testbed:generatoin:") },
    "TB102",
  ],
  ["an unknown firmware", { inventory: swap("firmware: bios", "firmware: openfirmware") }, "TB103"],
  ["a MAC in upper case", { inventory: swap("52:54:00:91:00:11", "52:54:00:91:00:AA") }, "TB103"],
  ["a MAC with dashes", { inventory: swap("52:54:00:91:00:11", "52-54-00-91-00-11") }, "TB103"],
  ["an address that is none", { inventory: swap("address: 10.91.0.11", "address: 10.91.0.311") }, "TB103"],
  ["a host name with an underscore", { inventory: swap("  h11:", "  h_11:") }, "TB103"],
  ["a network that is none", { inventory: swap("cidr: 10.91.0.0/24", "cidr: 10.91.0.0") }, "TB103"],
  ["cipher suite 0", { inventory: swap("cipherSuite: 3", "cipherSuite: 0") }, "TB103"],
  ["a key twice", { inventory: (t) => `${t}site: other\n` }, "TB101"],
  ["a tab as indentation", { inventory: swap("  management:", "\tmanagement:") }, "TB101"],
  ["an open bracket", { inventory: swap("roles: [hypervisor]", "roles: [hypervisor") }, "TB101"],
  ["a NUL character", { inventory: (t) => `${t}\0` }, "TB101"],
  ["aliases", { inventory: (t) => `${t.replace("site: lab", "site: &a lab")}unreachable2: *a\n` }, "TB101"],
  ["an empty inventory", { inventory: () => "" }, "TB103"],
  ["a list as inventory", { inventory: () => "- a\n" }, "TB103"],
  ["ten megabytes", { inventory: (t) => t + "#".repeat(10_000_000) }, "TB101"],
  ["a trailing comma in a marvin file", { marvin: swap(/\}\s*$/, ",}") }, "TB101"],
  ["an end-of-line comment in a marvin file", { marvin: swap('"zones": [', '"zones": [ // all') }, "TB101"],
  [
    "a key twice in a marvin file",
    { marvin: swap('"networktype": "Advanced"', '"networktype": "Advanced", "networktype": "Basic"') },
    "TB101",
  ],
  ["a marvin file nested 100,000 deep", { marvin: () => "[".repeat(100_000) }, "TB101"],
  ["an inventory nested 50,000 deep", { inventory: () => "[".repeat(50_000) }, "TB101"],
  ["a network named like a property of every object", { inventory: swap("network: management", "network: constructor") }, "TB112"],
  ["a distro named like a property of every object", { inventory: swap("distro: lab-hv", "distro: toString") }, "TB112"],
  ["a host named like a property of every object", { marvin: swap("http://h11", "http://constructor") }, "TB120"],
  ["a marvin file without zones", { marvin: () => '{"zones": [], "mgtSvr": [{"mgtSvrIp": "1.2.3.4"}]}' }, "TB103"],
  ["a marvin file that is a text", { marvin: () => '"zones"' }, "TB103"],
  ["an unknown kind of network", { marvin: swap('"Advanced"', '"Fancy"') }, "TB103"],
  ["a pod without a gateway", { marvin: swap(/"name": "z0-pod0",\s+"gateway": "10.91.0.1",/, '"name": "z0-pod0",') }, "TB103"],
])("%s gives a finding with its place", (_, change, code) => {
  const findings = findingsOf(change);
  expect(findings.map((one) => one.code)).toContain(code);
  for (const one of findings) expect([one.line > 0, one.column > 0, one.remedy !== ""]).toEqual([true, true, true]);
});

test("faults of agreement in all three files are reported at once", () => {
  const codes = findingsOf({
    inventory: swap("00:12", "00:11"),
    marvin: swap("http://h14", "http://h41"),
    stack: swap(/ {4}bmc:\n {6}user: lab\n {6}password:\n {8}secure: \S+\n/, ""),
  }).map((one) => one.code);
  expect([...new Set(codes)].sort()).toEqual(["TB110", "TB120", "TB130"]);
});

test("a finding is printed like a compiler's, with the line and a caret under the fault", () => {
  const [finding] = findingsOf({ marvin: swap("http://h14", "http://h14x") });
  const lines = renderFindings([finding as Finding]).split("\n");
  expect(lines[0]).toMatch(/^lab\.cfg:\d+:\d+: error TB120: host h14x of cluster .* did you mean h14\?$/);
  expect(lines[1]).toContain('"url": "http://h14x"');
  expect((lines[2] as string).indexOf("^")).toBe((lines[1] as string).indexOf('"url"'));
});

test("Windows line ends and a byte-order mark are no fault", () => {
  expect(
    findingsOf({ inventory: (t) => `\uFEFF${t.replaceAll("\n", "\r\n")}`, marvin: (t) => `\uFEFF${t.replaceAll("\n", "\r\n")}` }),
  ).toEqual([]);
});

test("no text makes a parser throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      parseBySchema(parseYamlSource("f", text), inventorySchema, "x");
      parseBySchema(parseMarvinSource("f", text), marvinSchema, "x");
    }),
    { numRuns: 500 },
  );
});

test("the page of error codes is fresh", () => {
  expect(read("docs/error-codes.md")).toBe(errorCodesPage());
});
