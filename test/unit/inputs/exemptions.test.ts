// What lives in no inventory: hosts of the simulator, and everything of a site that only names a management server.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { externalText, planOf } from "../../../runner/stack-plan.ts";
import { loadInputs } from "../../../stacks/load.ts";
import { checkout, findingsOf, swap } from "./change.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "testbed-external-"));
  mkdirSync(join(folder, "environments/cloud"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const simulated = readFileSync(join(checkout, "test/fixtures/simulator.cfg"), "utf8");

/** A site that only names a management server, with a stack on it. */
function external(change: { inventory?: string; marvin?: (text: string) => string; stack?: string } = {}) {
  const stack = [
    "site: cloud",
    "marvin: simulator.cfg",
    "hypervisor: simulator",
    'generation: "1"',
    "cloudstack: { release: 4.20.3.0 }",
  ].map((line) => `  cloudstack-testbed:${line}\n`);
  const inventory = change.inventory ?? "site: cloud\nmanagementServer: { address: 127.0.0.1 }\n";
  writeFileSync(join(folder, "Pulumi.cloud.yaml"), `config:\n${stack.join("")}${change.stack ?? ""}`);
  writeFileSync(join(folder, "environments/cloud/inventory.yaml"), inventory);
  writeFileSync(join(folder, "environments/cloud/simulator.cfg"), (change.marvin ?? ((text) => text))(simulated));
  return loadInputs(folder, { stack: "cloud" });
}

const errors = (loaded: ReturnType<typeof external>) => loaded.findings.filter((one) => one.severity === "error").map((one) => one.code);

describe("a site that only names a management server", () => {
  test("needs no machine, profile or credential, and has no plan", () => {
    const loaded = external();
    expect(errors(loaded)).toEqual([]);
    expect(loaded.plan).toBeUndefined();
    const { address, ports, credential } = loaded.external?.managementServer ?? {};
    expect([address, ports, credential]).toEqual(["127.0.0.1", { api: 8080, open: 8096 }, "cloudstack"]);
    expect(loaded.external?.cloud.zones.map((zone) => zone.name)).toEqual(["Sandbox-simulator"]);
  });

  test("is warned of clear-text passwords and of keys that nothing reads, as upstream's files have them", () => {
    const warnings = external().findings.filter((one) => one.severity === "warning");
    expect(new Set(warnings.map((one) => one.code))).toEqual(new Set(["TB104", "TB131"]));
    expect(warnings.length).toBeGreaterThan(3);
  });

  test("has no machines to test or examine, and a command that would is refused with where its server is", () => {
    external();
    expect(() => planOf("cloud", folder)).toThrow(
      expect.objectContaining({
        status: 2,
        message: expect.stringMatching(
          /site cloud only names a management server that runs already, 127\.0\.0\.1:8096, and nothing is installed/,
        ),
      }),
    );
    expect(externalText("cloud", folder)).toContain("testbed check --stack cloud");
  });

  test("is told of its faults instead, while it has some", () => {
    external({ inventory: "site: cloud\nmanagementServer: {}\n" });
    expect(() => planOf("cloud", folder)).toThrow(/has no plan while its inputs have faults/);
    expect(externalText("cloud", folder)).toBeUndefined();
  });

  test("is refused when its marvin file does not exist", () => {
    const loaded = external();
    rmSync(join(folder, "environments/cloud/simulator.cfg"));
    const again = loadInputs(folder, { stack: "cloud" });
    expect([loaded.external !== undefined, again.external]).toEqual([true, undefined]);
    expect(again.findings.map((one) => [one.file, one.code])).toEqual([["Pulumi.cloud.yaml", "TB100"]]);
  });

  test("may have real hosts that no inventory knows", () => {
    expect(errors(external({ marvin: (text) => text.replaceAll('"simulator"', '"KVM"') }))).toEqual([]);
  });

  test("needs the keys or a login where the open port is closed", () => {
    const inventory = "site: cloud\nmanagementServer: { address: cloud.example.com, ports: { open: 0 } }\n";
    expect(errors(external({ inventory }))).toEqual(["TB130", "TB130"]);
    const login = "  cloudstack-testbed:credentials: { cloudstack: { user: admin, password: { secure: x } } }\n";
    expect(errors(external({ inventory, stack: login }))).toEqual([]);
  });

  test.each<[string, Parameters<typeof external>[0], string[]]>([
    ["an unknown key", { inventory: "site: cloud\nmanagementServer: { address: 127.0.0.1, port: 8096 }\n" }, ["TB102"]],
    ["no address", { inventory: "site: cloud\nmanagementServer: {}\n" }, ["TB103"]],
    ["a port that is none", { inventory: "site: cloud\nmanagementServer: { address: 127.0.0.1, ports: { api: 0 } }\n" }, ["TB103"]],
    ["a password", { inventory: "site: cloud\nmanagementServer: { address: 127.0.0.1, password: x }\n" }, ["TB102", "TB131"]],
    [
      "overlapping ranges",
      {
        marvin: (text) =>
          text
            .replace('"startip": "172.16.15.2"', '"startip": "172.16.15.200"')
            .replace('"endip": "172.16.15.200"', '"endip": "172.16.15.2"'),
      },
      ["TB123"],
    ],
    ["an unknown key in the stack file", { stack: "  cloudstack-testbed:makrvin: x\n" }, ["TB102"]],
    ["a password in the stack file", { stack: "  cloudstack-testbed:credentials: { cloud: { password: x } }\n" }, ["TB131"]],
  ])("is refused for %s", (_, change, codes) => {
    const loaded = external(change);
    expect(errors(loaded)).toEqual(codes);
    expect(loaded.external).toBeUndefined();
  });
});

describe("hosts of the simulator on a site with machines", () => {
  const toSimulator = (text: string) =>
    text.replaceAll('"hypervisor": "KVM"', '"hypervisor": "Simulator"').replace(/http:\/\/h1\d/g, (host) => `http://sim/${host.slice(-2)}`);

  test("are looked for in no inventory, and need neither a profile nor an allowed store", () => {
    const found = findingsOf({
      marvin: (text) => toSimulator(text).replaceAll("nfs://driver/srv/nfs", "nfs://nfsstor/export"),
      stack: (text) => text.replace("hypervisor: KVM", "hypervisor: simulator").replace("KVM: lab-kvm", "XenServer: lab-xen"),
    });
    expect(found).toEqual([]);
  });

  test("do not excuse a machine in another cluster", () => {
    const found = findingsOf({
      marvin: (text) => text.replace('"hypervisor": "KVM"', '"hypervisor": "Simulator"').replace("http://h13", "http://h31"),
    });
    expect(found.map((one) => one.code)).toEqual(["TB120"]);
  });

  test("may have the same guest VLANs in two zones", () => {
    expect(findingsOf({ marvin: (text) => text.replace('"vlan": "2051-2100"', '"vlan": "2001-2050"') }).map((one) => one.code)).toEqual([
      "TB123",
    ]);
    const found = findingsOf({
      marvin: (text) => toSimulator(text).replace('"vlan": "2051-2100"', '"vlan": "2001-2050"'),
      stack: swap("hypervisor: KVM", "hypervisor: Simulator"),
    });
    expect(found.map((one) => one.code)).toEqual([]);
  });
});

test("a site with machines has a plan to test and examine", () => {
  expect(planOf("kvm", checkout).machines).toHaveLength(4);
  expect(externalText("kvm", checkout)).toBeUndefined();
});

test("the case of a hypervisor's name does not matter", () => {
  expect(findingsOf({ marvin: (text) => text.replaceAll('"hypervisor": "KVM"', '"hypervisor": "kvm"') })).toEqual([]);
});

test("a marvin file may have keys that nothing here knows, and is told of them", () => {
  const found = findingsOf({ marvin: swap('"networktype"', '"remark": "the first zone", "networktype"') });
  expect(found.map((one) => [one.severity, one.what])).toEqual([["warning", "nothing reads zones.0.remark"]]);
});

test("null stands for missing in a marvin file, as marvin reads it", () => {
  expect(
    findingsOf({ marvin: swap('"guestcidraddress": "10.1.1.0/24"', '"guestcidraddress": null, "dns2": null, "cacheStorages": null') }),
  ).toEqual([]);
});
