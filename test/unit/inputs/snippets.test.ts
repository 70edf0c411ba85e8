// Snippets and repositories of the inventory: what of them a plan takes along, and what is found wrong.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { loadInputs } from "../../../stacks/load.ts";
import { snippetsOf } from "../../../stacks/snippets.ts";

describe("an answer file", () => {
  const texts = new Map([
    ["network", "$SNIPPET('dns')\n"],
    ["dns", "nameserver\n$SNIPPET('network')\n"],
    ["motd", "hello\n"],
    ["per_system/motd/h11", "hello h11 SNIPPET::site/proxy\n"],
    ["site/proxy", "proxy\n"],
  ]);

  test.each([
    ["nothing", "text\n", []],
    ["one by cobbler's function", '$SNIPPET("site/proxy")\n', ["site/proxy"]],
    ["one by cobbler's macro", "SNIPPET::site/proxy\n", ["site/proxy"]],
    ["those that one includes, in a circle too", "$SNIPPET('network')", ["dns", "network"]],
    ["a system's own with its name", "$SNIPPET('motd')", ["motd", "per_system/motd/h11", "site/proxy"]],
    ["cobbler's own ones", "$SNIPPET('autoinstall_done')", []],
    ["a name that merely begins so", "$SNIPPET('mot')", []],
  ])("includes %s", (_, text, names) => {
    expect(snippetsOf(text, texts)).toEqual(names);
  });
});

describe("a site with snippets and repositories", () => {
  const checkout = join(import.meta.dirname, "../../..");
  let folder: string;
  const file = (name: string) => join(folder, "environments/lab", name);
  const edit = (name: string, change: (text: string) => string) => writeFileSync(file(name), change(readFileSync(file(name), "utf8")));
  const load = () => loadInputs(folder, { stack: "kvm" });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "snippets-"));
    cpSync(join(checkout, "environments"), join(folder, "environments"), { recursive: true });
    cpSync(join(checkout, "Pulumi.kvm.yaml"), join(folder, "Pulumi.kvm.yaml"));
    writeFileSync(file("answers/motd"), "hello\n");
    writeFileSync(file("answers/unused"), "unused\n");
    edit("answers/testbed-lab.sh", (text) => `${text}\n$SNIPPET('motd')\n`);
    edit("inventory.yaml", (text) =>
      `${text}snippets:\n  motd: { file: answers/motd }\n  unused: { file: answers/unused }\nrepos:\n  base: { mirror: "http://10.91.0.1/base" }\n  other: { mirror: "http://10.91.0.1/other" }\n`.replace(
        /lab-kvm: \{ /,
        "lab-kvm: { repos: [base], ",
      ),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("takes along exactly those that its stack uses", () => {
    const { plan, findings } = load();
    expect(findings.filter((finding) => finding.severity === "error")).toEqual([]);
    expect(plan?.snippets).toMatchObject([{ name: "motd", file: "environments/lab/answers/motd" }]);
    expect(plan?.templates).toMatchObject([{ name: "testbed-lab.sh", snippets: ["motd"] }]);
    expect(plan?.repos).toMatchObject([{ name: "base", mirror: "http://10.91.0.1/base", breed: "yum", priority: 99 }]);
  });

  test("gives a changed snippet another digest and leaves its answer file's", () => {
    const earlier = load().plan;
    writeFileSync(file("answers/motd"), "other\n");
    const later = load().plan;
    expect(later?.snippets[0]?.sha256).not.toBe(earlier?.snippets[0]?.sha256);
    expect(later?.templates).toEqual(earlier?.templates);
  });

  test.each([
    ["a snippet whose file is missing", "TB100", "answers/motd }", "answers/mtd }", "environments/lab/answers/mtd"],
    ["a profile with an unknown repository", "TB112", "repos: [base]", "repos: [bse]", "did you mean base"],
    ["a repository without a mirror", "TB103", 'mirror: "http://10.91.0.1/base"', "breed: yum", "mirror"],
    ["a repository with an unknown key", "TB102", 'base: { mirror: "', 'base: { miror: "x", mirror: "', "miror"],
    ["a priority that yum does not know", "TB103", 'base: { mirror: "', 'base: { priority: 100, mirror: "', "99"],
  ])("reports %s at its place", (_, code, from, to, text) => {
    edit("inventory.yaml", (inventory) => inventory.replace(from, to));
    const found = load().findings.find((finding) => finding.code === code);
    expect(found?.file).toBe("environments/lab/inventory.yaml");
    expect(JSON.stringify(found)).toContain(JSON.stringify(text).slice(1, -1));
  });
});
