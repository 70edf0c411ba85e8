import { expect, test } from "@jest/globals";
import type { PreviewDigest, PreviewStep } from "../../runner/digest.ts";
import { previewMarkdown } from "../../runner/markdown.ts";

const urn = (type: string, name: string) => `urn:pulumi:kvm::p::testbed:index:Environment$pulumi-nodejs:dynamic/${type}::${name}`;
const step = (op: string, type: string, name: string, old?: object, now?: object, more: Partial<PreviewStep> = {}): PreviewStep => ({
  op,
  urn: urn(type, name),
  ...(old ? { oldState: { inputs: { __provider: "the stub", ...old } } } : {}),
  ...(now ? { newState: { inputs: { __provider: "the stub", ...now } } } : {}),
  ...more,
});
const digest = (steps: PreviewStep[], more: Partial<PreviewDigest> = {}): PreviewDigest => ({
  steps,
  changeSummary: { same: 12 },
  ...more,
});
const rows = (text: string) =>
  text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what") && !line.startsWith("| ---"));

test("nothing to change is one sentence and no table", () => {
  const text = previewMarkdown("kvm", digest([step("same", "cobbler:System", "h11", { a: 1 }, { a: 1 })]));
  expect(text).toBe("#### `testbed preview` of stack kvm\n\nNothing changes; 12 resources stay as they are.\n");
});

test("a row says what changes and from what to what", () => {
  const text = previewMarkdown(
    "kvm",
    digest([step("update", "baremetal:Host", "h11", { generation: "1", name: "h11" }, { generation: "2", name: "h11" })]),
  );
  expect(rows(text)).toEqual(['| update | baremetal:Host | h11 | `generation`: "1" → "2" |']);
  expect(text).toContain("**1 to update**; 12 stay as they are.");
});

test("deletes and replaces come first, are counted, and are named in a warning", () => {
  const text = previewMarkdown(
    "kvm",
    digest([
      step("create", "cobbler:System", "h15", undefined, { name: "h15" }),
      step("update", "cobbler:System", "h12", { gateway: "a" }, { gateway: "b" }),
      step("create-replacement", "cobbler:Profile", "p", { name: "a" }, { name: "b" }),
      step("replace", "cobbler:Profile", "p", { name: "a" }, { name: "b" }, { replaceReasons: ["name"] }),
      step("delete-replaced", "cobbler:Profile", "p", { name: "a" }),
      step("delete", "dnsmasq:Host", "h9", { name: "h9" }),
    ]),
  );
  expect(rows(text).map((row) => row.split(" | ")[0])).toEqual(["| delete", "| replace", "| update", "| create"]);
  expect(text).toContain("> ⚠ Deletes dnsmasq:Host h9.");
  expect(text).toContain("> ⚠ Replaces cobbler:Profile p.");
  expect(text).toContain('`name` (replaces): "a" → "b"');
});

test("an argument that appears or goes is shown as from or to nothing", () => {
  const [row] = rows(previewMarkdown("kvm", digest([step("update", "cobbler:System", "h11", { a: 1 }, { b: [2] })])));
  expect(row).toContain("`a`: 1 → nothing; `b`: nothing → [2]");
});

test("the stub and other hidden properties are never shown, also when only they changed", () => {
  const text = previewMarkdown(
    "kvm",
    digest([step("update", "cobbler:System", "h11", { __urn: "a" }, { __urn: "b" }, { diffReasons: ["__urn"] })]),
  );
  expect(text).not.toMatch(/the stub|__urn/);
  expect(text).toContain("its provider's code changed");
});

test("a secret is taken out, wherever it stands", () => {
  const text = previewMarkdown(
    "kvm",
    digest([step("update", "cobbler:Profile", "p", { variables: { password: "hunter22" } }, { variables: { password: "hunter23" } })]),
    (all) => all.replaceAll(/hunter2\d/g, "[secret]"),
  );
  expect(text).not.toContain("hunter");
});

test.each([
  ["a pipe", "a|b", "a\\|b"],
  ["a line break", "a\nb", "a\\nb"],
  ["markup", "<img src=x>", "&lt;img src=x>"],
])("%s in a value does not break the table", (_, given, shown) => {
  const [row, ...more] = rows(previewMarkdown("kvm", digest([step("update", "cobbler:System", "h11", { a: "" }, { a: given })])));
  expect(more).toEqual([]);
  expect(row).toContain(shown);
});

test("a long value is cut", () => {
  const [row = ""] = rows(previewMarkdown("kvm", digest([step("update", "cobbler:System", "h11", { a: "" }, { a: "x".repeat(500) })])));
  expect(row.length).toBeLessThan(150);
  expect(row).toContain("…");
});

test("a thousand changes stay below the limit of a comment, and say how many are left out", () => {
  const steps = Array.from({ length: 1000 }, (_, index) =>
    step("update", "cobbler:System", `host-${index}`, { a: "x".repeat(60) }, { a: "y".repeat(60) }),
  );
  const text = previewMarkdown("kvm", digest(steps));
  expect(text.length).toBeLessThan(65_000);
  expect(text).toMatch(/… and \d+ more\.\n$/);
  expect(text).toContain("**1000 to update**");
});

test("a damaged state and warnings of the program are passed on", () => {
  const text = previewMarkdown(
    "kvm",
    digest([], {
      maybeCorrupt: true,
      diagnostics: [
        { severity: "warning", message: "PULUMI_PARALLEL is 2\n" },
        { severity: "info", message: "chatter" },
      ],
    }),
  );
  expect(text).toContain("> ⚠ The engine says that the state may be damaged.");
  expect(text).toContain("> ⚠ PULUMI_PARALLEL is 2");
  expect(text).not.toContain("chatter");
});
