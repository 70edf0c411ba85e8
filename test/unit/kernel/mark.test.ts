import { describe, expect, test } from "@jest/globals";
import {
  changedFor,
  findMark,
  findMarks,
  keptFor,
  type Mark,
  markText,
  stackNames,
  standing,
  withMark,
  withoutMark,
} from "../../../providers/kernel/index.ts";
import { heldBy, takenMarks } from "../../../providers/kernel/ownership.ts";

const kvm: Mark = { project: "lab", stack: "kvm", owner: "00000000000000aa" };
const moved: Mark = { ...kvm, owner: "00000000000000bb" };
const xen: Mark = { ...kvm, stack: "xen", owner: "00000000000000cc" };
const vmware: Mark = { ...kvm, stack: "vmware", owner: "00000000000000dd" };
const foreign: Mark = { ...xen, project: "other" };

describe("the marks of a text", () => {
  test("are all found, in their order", () => {
    expect(findMarks(`by hand ${markText(kvm)} ${markText(xen)}/unfinished`)).toEqual([kvm, xen]);
    expect(findMark(`${markText(xen)} ${markText(kvm)}`)).toEqual(xen);
  });

  test.each(["", "by hand", "cloudstack-testbed:", "cloudstack-testbed:lab/kvm/short", "cloudstack-testbed:lab/kvm"])(
    "are none in %j",
    (text) => {
      expect(findMarks(text)).toEqual([]);
    },
  );

  test("get ours once, at the end, and lose only ours", () => {
    expect(withMark([xen], kvm)).toEqual([xen, kvm]);
    expect(withMark([kvm, xen], kvm)).toEqual([kvm, xen]);
    expect(withoutMark([xen, kvm, moved], kvm)).toEqual([xen, moved]);
  });
});

describe("whose an object is", () => {
  test.each([
    ["nobody's without a mark", [], true, "nobody's", undefined],
    ["ours with our mark", [kvm], true, "ours", kvm],
    ["ours with our mark beside another stack's", [xen, kvm], true, "ours", kvm],
    ["ours with our mark beside another project's", [foreign, kvm], true, "ours", kvm],
    ["to be joined with another stack's mark", [xen], true, "joinable", xen],
    ["to be joined with the marks of several stacks", [xen, vmware], true, "joinable", xen],
    ["foreign with this stack's mark from another state", [moved], true, "foreign", moved],
    ["foreign with that beside another stack's", [xen, moved], true, "foreign", moved],
    [
      "foreign with another project's mark, though its stack has our name",
      [{ ...foreign, stack: "kvm" }],
      true,
      "foreign",
      { ...foreign, stack: "kvm" },
    ],
    ["foreign with another project's mark beside another stack's", [xen, foreign], true, "foreign", foreign],
    ["foreign with another stack's mark where its kind is not shared", [xen], false, "foreign", xen],
    ["ours where its kind is not shared and the mark is ours", [kvm], false, "ours", kvm],
  ] as const)("is %s", (_, marks, shareable, is, holder) => {
    expect(standing(marks, kvm, shareable)).toMatchObject({ is, holder });
  });

  test("names the others, whoever it is", () => {
    expect(standing([xen, kvm, vmware], kvm, true).others).toEqual([xen, vmware]);
  });
});

describe("a takeover", () => {
  test("has nothing to take where only other stacks hold it", () => {
    expect(heldBy([xen], kvm, true)).toEqual({ holder: xen, shared: true });
    expect(heldBy([xen], kvm, false)).toEqual({ holder: xen });
    expect(heldBy([], kvm, true)).toEqual({ holder: undefined });
  });

  test("replaces the mark in our way and leaves the others", () => {
    const marks = [xen, moved, vmware];
    const holding = { object: "o", system: "s", ...heldBy(marks, kvm, true) };
    expect(takenMarks(marks, holding, kvm)).toEqual([xen, vmware, kvm]);
  });
});

test("stacks are named once each, as a person says it", () => {
  expect(stackNames([xen])).toBe("stack xen");
  expect(stackNames([xen, vmware, xen])).toBe("stacks xen, vmware");
  expect(keptFor([xen])).toBe("kept, still used by stack xen");
  expect(changedFor([xen])).toMatch(/^stack xen of this site uses it too/);
  expect(changedFor([xen, vmware])).toMatch(/^stacks xen, vmware of this site use it too/);
});
