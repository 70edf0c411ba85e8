// What is reported, where, and how it is printed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { stackFileSchema } from "../../../stacks/config.ts";
import { type Finding, findingCodes, renderFindings } from "../../../stacks/findings.ts";
import { inventorySchema } from "../../../stacks/inventory.ts";
import { keysAt } from "../../../stacks/schema.ts";
import { errorCodesPage } from "../../../tools/error-codes.ts";
import { checkout, findingsOf, swap } from "./change.ts";

const codes = (findings: readonly Finding[]) => findings.map((one) => one.code);

describe("every fault of every input is reported at once", () => {
  test("faults of agreement in all three files", () => {
    const found = findingsOf({
      inventory: swap("00:91:00:12", "00:91:00:11"),
      marvin: swap("http://h14", "http://h41"),
      stack: swap("/ {4}bmc:\\n {6}user: lab\\n {6}password:\\n {8}secure: \\S+\\n/", ""),
    });
    expect([...new Set(codes(found))].sort()).toEqual(["TB110", "TB120", "TB130"]);
  });

  test("a fault of form in the inventory beside faults of agreement in the same file", () => {
    const found = findingsOf({
      inventory: (text) =>
        text
          .replace("firmware: bios", "firmware: bois")
          .replace("00:91:00:13", "00:91:00:12")
          .replace("address: 10.91.0.14", "address: 10.91.0.255"),
    });
    expect(codes(found).sort()).toEqual(["TB103", "TB110", "TB111", "TB126"]);
  });

  test("a machine with a faulty MAC is still checked for its address, and still known by its name", () => {
    const found = findingsOf({
      inventory: (text) => text.replace("52:54:00:91:00:12", "52:54").replace("address: 10.91.0.12", "address: 10.91.0.11"),
    });
    expect(codes(found)).toEqual(["TB103", "TB110"]);
  });

  test("a fault of form in the stack file hides no finding of the other files", () => {
    const found = findingsOf({
      stack: swap('generation: "1"', "generation: [1]"),
      inventory: swap("00:91:00:12", "00:91:00:11"),
      marvin: swap("http://h14", "http://h41"),
    });
    expect(codes(found).sort()).toEqual(["TB103", "TB110", "TB120"]);
  });

  test("a stack file that is not well-formed hides no finding of the other files", () => {
    const found = findingsOf({
      stack: (text) => `${text}\n  - [`,
      inventory: swap("00:91:00:12", "00:91:00:11"),
      marvin: swap("http://h14", "http://h41"),
    });
    expect([...new Set(codes(found))].sort()).toEqual(["TB101", "TB110", "TB120"]);
  });

  test("an inventory that is not well-formed hides neither what is wrong inside the marvin file nor in the stack file", () => {
    const found = findingsOf({
      inventory: (text) => text.replace("roles: [hypervisor]", "roles: [hypervisor"),
      marvin: swap('"startip": "10.91.0.120"', '"startip": "10.91.0.110"'),
      stack: swap("/password:\\n\\s+secure: \\S+/", "password: lab-cobbler"),
    });
    expect([...new Set(codes(found))].sort()).toEqual(["TB101", "TB123", "TB131"]);
  });

  test("an inventory that is not well-formed does not hide a placeholder without a secret", () => {
    const found = findingsOf({
      inventory: (text) => `${text}\n[`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder as it stands in the file
      marvin: swap("${database.password}", "${db.password}"),
    });
    expect([...new Set(codes(found))]).toEqual(["TB101", "TB130"]);
  });

  test("a fault of form in the marvin file hides none of its agreement with the inventory", () => {
    const found = findingsOf({
      marvin: (text) => text.replace('"networktype": "Advanced"', '"networktype": "Fancy"').replace("http://h14", "http://h41"),
    });
    expect(codes(found)).toEqual(["TB103", "TB120"]);
  });
});

test.each([
  ["a site", swap("site: lab", "site: lap"), "environments/lap does not exist; did you mean lab?"],
  ["a marvin file", swap("lab-kvm.cfg", "lab-kwm.cfg"), "environments/lab/lab-kwm.cfg does not exist; did you mean lab-kvm.cfg?"],
])("%s that nobody has is reported where it is named, with a guess", (_, stack, what) => {
  expect(findingsOf({ stack }).map((one) => [one.file, one.what])).toEqual([["Pulumi.kvm.yaml", what]]);
});

test("each fault stands at its own line and column", () => {
  const [finding] = findingsOf({ inventory: swap("state: active }\n  h13", "state: broken }\n  h13") });
  const lines = readFileSync(join(checkout, "environments/lab/inventory.yaml"), "utf8").split("\n");
  const line = lines.findIndex((text) => text.startsWith("  h12:"));
  expect([finding?.line, finding?.column]).toEqual([line + 1, (lines[line] as string).indexOf("state:") + 1]);
});

test("what is wrong with an aliased value is reported where the value stands, and the alias where it is used", () => {
  const found = findingsOf({
    inventory: (text) =>
      text
        .replace(
          "bmc: { address: 10.91.1.11, credential: bmc, cipherSuite: 3 }",
          "bmc: &bmc { address: 10.91.1.11, credential: bmc, cipherSuite: 99 }",
        )
        .replace("bmc: { address: 10.91.1.12, credential: bmc, cipherSuite: 3 }", "bmc: *bmc"),
  });
  const at = found.map((one) => `${one.code} ${(one.sourceLine ?? "").slice(one.column - 1, one.column + 10)}`);
  // The suite is reported once per machine, both times where it is written.
  expect(new Set(at)).toEqual(new Set(["TB103 cipherSuite", "TB101 *bmc, firmw", "TB110 bmc: *bmc, "]));
});

describe("a finding as it is printed", () => {
  test("like a compiler's, with the line and a caret under the fault", () => {
    const [finding] = findingsOf({ marvin: swap("http://h14", "http://h14x") });
    const lines = renderFindings([finding as Finding]).split("\n");
    expect(lines[0]).toMatch(/^environments\/lab\/lab-kvm\.cfg:\d+:\d+: error TB120: host h14x of cluster .* did you mean h14\?$/);
    expect(lines[1]).toContain('"url": "http://h14x"');
    expect((lines[2] as string).indexOf("^")).toBe((lines[1] as string).indexOf('"url"'));
  });

  test("a fault far to the right is shown with what is around it", () => {
    const [finding] = findingsOf({ inventory: swap("state: active", "state: broken") });
    const [, line, caret] = renderFindings([finding as Finding]).split("\n") as [string, string, string];
    expect(line.slice(caret.indexOf("^"))).toMatch(/^state: broken/);
    expect(line.length).toBeLessThan(170);
  });

  test("says what stands there, what may stand there, and what was perhaps meant", () => {
    const [finding] = findingsOf({ inventory: swap("state: active", "state: actve") });
    expect(finding?.what).toBe(
      'machines.h11.state is "actve": Invalid option: expected one of "active"|"quarantined"|"spare"; did you mean active?',
    );
  });

  test.each([
    ["a password of the stack file", { stack: swap("/password:\\n\\s+secure: \\S+/", "password: s3cret-word") }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder as it stands in the file
    ["a password of a marvin file", { marvin: swap("${hosts.password}", "s3cret-word") }],
    ["a password of the inventory", { inventory: swap("credential: bmc,", "password: s3cret-word,") }],
    ["a password in an address", { inventory: swap("http://10.91.0.1/cobbler", "http://cobbler:s3cret-word@10.91.0.1/cobbler") }],
    ["a password of the wrong form", { stack: swap("/password:\\n\\s+secure: \\S+/", "password: [s3cret-word]") }],
  ])("never repeats %s", (_, change) => {
    const found = findingsOf(change);
    expect(found).not.toEqual([]);
    expect(JSON.stringify(found) + renderFindings(found)).not.toContain("s3cret-word");
  });
});

test("every code has a meaning and a remedy", () => {
  for (const { means, remedy } of Object.values(findingCodes)) expect([means.length > 10, remedy.length > 10]).toEqual([true, true]);
});

test("every key of the inventory and of a stack file is explained in docs/inputs.md", () => {
  const page = readFileSync(join(checkout, "docs/inputs.md"), "utf8");
  const keys = [
    [],
    ["driver"],
    ["driver", "cobbler"],
    ["driver", "dnsmasq"],
    ["machines", "x"],
    ["machines", "x", "bmc"],
    ["limits"],
  ].flatMap((path) => keysAt(inventorySchema, path));
  const stackKeys = keysAt(stackFileSchema, ["config"]).map((key) => key.replace("cloudstack-testbed:", ""));
  expect([...keys, ...stackKeys].filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
  expect(keys.length + stackKeys.length).toBeGreaterThan(40);
});

test("the page of error codes is fresh", () => {
  expect(readFileSync(join(checkout, "docs/error-codes.md"), "utf8")).toBe(errorCodesPage());
});
