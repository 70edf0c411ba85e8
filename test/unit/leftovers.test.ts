// What carries marks, compared with what the states have: pure data on both sides.
import { describe, expect, test } from "@jest/globals";
import type { Mark } from "../../providers/kernel/index.ts";
import { keysByType, type MarkedObject, type MarkedSystem, type StateResource } from "../../providers/kernel/marked.ts";
import { compare, type StackState } from "../../runner/leftover-rows.ts";
import { asJson, render, renderRemoval } from "../../runner/leftover-text.ts";
import { removeRows } from "../../runner/remove-leftovers.ts";
import { stateResources } from "../../runner/stack-states.ts";
import { testContext } from "../support/context.ts";

const OWN = "00000000000000aa";
const mark = (stack: string, owner = OWN): Mark => ({ project: "cloudstack-testbed", stack, owner });
const isOwn = ({ owner }: Mark) => owner === OWN;

/** A system as the comparison sees it; what is in `objects` goes by `remove`, unless it is stubborn. */
function fakeSystem(server: string, objects: MarkedObject[] = [], { stubborn = "", broken = "" } = {}): MarkedSystem {
  return {
    system: `cobbler ${server}`,
    server,
    keysOf: keysByType({ "cobbler:System": ({ name }) => [`system/${name}`] }),
    list: async () => [...objects],
    async remove({ mark: ours, warn }, { key }) {
      if (key === broken) throw new Error("the server refuses");
      if (key === stubborn) return warn("belongs to somebody else by now");
      const at = objects.findIndex((one) => one.key === key);
      const marks = objects[at]?.marks.filter((one) => one.stack !== ours.stack) ?? [];
      objects.splice(at, 1, ...(marks.length > 0 ? [{ ...(objects[at] as MarkedObject), marks }] : []));
    },
  };
}

const object = (name: string, ...marks: Mark[]): MarkedObject => ({ key: `system/${name}`, object: `system ${name}`, marks });
const resource = (stack: string, name: string, address = "10.0.0.1"): StateResource => ({
  type: "cobbler:System",
  stack,
  inputs: { name, server: { address } },
});
const state = (stack: string, ...resources: StateResource[]): StackState => ({ stack, resources, busy: false });
const outcome = (one: MarkedObject, states: StackState[]) => {
  const system = fakeSystem("10.0.0.1");
  const { leftovers, others } = compare([{ system, objects: [one] }], states, ["10.0.0.1"], isOwn);
  return { leftovers: leftovers.map((row) => row.mark.stack), others: others.map((row) => row.mark.owner) };
};

describe("an object", () => {
  test.each<[string, MarkedObject, StackState[], { leftovers: string[]; others: string[] }]>([
    [
      "that its stack's state has is no leftover",
      object("h11", mark("kvm")),
      [state("kvm", resource("kvm", "h11"))],
      { leftovers: [], others: [] },
    ],
    ["that no state has is one", object("h11", mark("kvm")), [state("kvm", resource("kvm", "h12"))], { leftovers: ["kvm"], others: [] }],
    ["of a stack whose state is gone is one", object("h11", mark("gone")), [state("kvm")], { leftovers: ["gone"], others: [] }],
    [
      "that only another stack's state has, which has not marked it, is none",
      object("h11", mark("kvm")),
      [state("kvm"), state("xen", resource("xen", "h11"))],
      { leftovers: [], others: [] },
    ],
    [
      "of two stacks is one for that whose state does not have it",
      object("h11", mark("kvm"), mark("xen")),
      [state("kvm"), state("xen", resource("xen", "h11"))],
      { leftovers: ["kvm"], others: [] },
    ],
    [
      "of another owner is that owner's",
      object("h11", mark("kvm", "00000000000000bb")),
      [state("kvm")],
      { leftovers: [], others: ["00000000000000bb"] },
    ],
    [
      "of ours and of another owner is both",
      object("h11", mark("kvm"), mark("kvm", "00000000000000bb")),
      [state("kvm")],
      { leftovers: ["kvm"], others: ["00000000000000bb"] },
    ],
    [
      "that the state has on another server is one",
      object("h11", mark("kvm")),
      [state("kvm", resource("kvm", "h11", "10.0.0.2"))],
      { leftovers: ["kvm"], others: [] },
    ],
    [
      "that the state has under another address of its pool is none",
      { ...object("h11", mark("kvm")), servers: ["10.0.0.1", "10.0.0.2"] },
      [state("kvm", resource("kvm", "h11", "10.0.0.2"))],
      { leftovers: [], others: [] },
    ],
    [
      "of the same name and another type is one",
      object("h11", mark("kvm")),
      [state("kvm", { ...resource("kvm", "h11"), type: "cobbler:Profile" })],
      { leftovers: ["kvm"], others: [] },
    ],
  ])("%s", (_, one, states, expected) => {
    expect(outcome(one, states)).toEqual(expected);
  });
});

describe("a leftover is listed, and stays,", () => {
  const listed = [{ system: fakeSystem("10.0.0.1"), objects: [object("h11", mark("kvm"))] }];

  test("while an operation on its stack runs", () => {
    const { leftovers } = compare(listed, [{ ...state("kvm"), busy: true }], ["10.0.0.1"], isOwn);
    expect(leftovers[0]?.kept).toContain("pulumi cancel --stack kvm");
  });

  test("when its stack's state has things where the inventory has no server: it may have been given another address", () => {
    const { leftovers } = compare(listed, [state("kvm", resource("kvm", "h11", "10.0.0.9"))], ["10.0.0.1"], isOwn);
    expect(leftovers[0]?.kept).toContain("10.0.0.9, which the inventory does not name");
  });

  test("but not because another stack is busy", () => {
    const { leftovers } = compare(listed, [state("kvm"), { ...state("xen"), busy: true }], ["10.0.0.1"], isOwn);
    expect(leftovers[0]?.kept).toBeUndefined();
  });
});

test("of an exported state every resource of ours counts, also one that waits for its deletion, and no component", () => {
  const urn = (chain: string, name: string) => `urn:pulumi:kvm::cloudstack-testbed::${chain}::${name}`;
  const inputs = { __owner: "o", __provider: "text", name: "h11", server: { url: "http://c" } };
  const resources = [
    { urn: urn("testbed:index:Environment", "kvm"), inputs: {} },
    { urn: urn("testbed:index:Environment$pulumi-nodejs:dynamic/cobbler:System", "h11"), inputs },
    { urn: urn("testbed:index:Environment$pulumi-nodejs:dynamic/cobbler:System", "h11"), inputs, delete: true },
  ];
  const found = stateResources("kvm", { deployment: { resources } });
  expect(found).toEqual(Array(2).fill({ type: "cobbler:System", stack: "kvm", inputs: { name: "h11", server: { url: "http://c" } } }));
  expect(stateResources("kvm", {})).toEqual([]);
});

describe("removal", () => {
  const rowsOf = (system: MarkedSystem, objects: MarkedObject[]) => compare([{ system, objects }], [], [system.server], isOwn).leftovers;

  test("takes one mark off what others hold, and says who keeps it", async () => {
    const objects = [object("h11", mark("kvm"), mark("xen", "00000000000000bb")), object("h12", mark("kvm"))];
    const system = fakeSystem("10.0.0.1", objects);
    const removal = await removeRows(testContext(), rowsOf(system, [...objects]));
    expect(objects).toEqual([object("h11", mark("xen", "00000000000000bb"))]);
    expect(renderRemoval(removal)).toBe(
      "taken off (kept, still used by stack xen): system h11 on cobbler 10.0.0.1\nremoved: system h12 on cobbler 10.0.0.1\n",
    );
  });

  test("goes on where one is refused, and tells what was said", async () => {
    const objects = [object("h11", mark("kvm")), object("h12", mark("kvm"))];
    const removal = await removeRows(testContext(), rowsOf(fakeSystem("10.0.0.1", objects, { broken: "system/h11" }), [...objects]));
    expect(renderRemoval(removal)).toBe(
      "removed: system h12 on cobbler 10.0.0.1\nnot removed: system h11 on cobbler 10.0.0.1: the server refuses\n",
    );
  });

  test("that leaves something standing without failing is no success", async () => {
    const objects = [object("h11", mark("kvm"))];
    const removal = await removeRows(testContext(), rowsOf(fakeSystem("10.0.0.1", objects, { stubborn: "system/h11" }), [...objects]));
    expect(removal.removed).toEqual([]);
    expect(removal.failed.map(({ message }) => message)).toEqual(["belongs to somebody else by now"]);
  });

  test("does not touch what is to stay", async () => {
    const objects = [object("h11", mark("kvm"))];
    const rows = rowsOf(fakeSystem("10.0.0.1", objects), [...objects]).map((row) => ({ ...row, kept: "busy" }));
    expect(await removeRows(testContext(), rows)).toEqual({ removed: [], failed: [] });
    expect(objects).toHaveLength(1);
  });
});

describe("what is shown", () => {
  const system = fakeSystem("10.0.0.1");
  const theirs = mark("kvm", "00000000000000bb");
  const found = {
    site: "lab",
    leftovers: [{ system, object: object("h11", mark("kvm")), mark: mark("kvm"), kept: "an operation runs" }],
    others: ["h12", "h13"].map((name) => ({ system, object: object(name, theirs), mark: theirs })),
    unasked: [{ system: "XenServer x", message: "no route" }],
  };

  test("names each leftover, other owners' things by holder, and who could not be asked", () => {
    const text = render(found);
    expect(text).toMatch(/system h11 +cobbler 10\.0\.0\.1 +stack kvm +stays: an operation runs\n/);
    expect(text).toContain("stack kvm of cloudstack-testbed (owner 00000000000000bb) on cobbler 10.0.0.1: system h12, system h13\n");
    expect(text).toContain("could not be asked: XenServer x: no route\n");
  });

  test("does not say that nothing is left over of what could not be asked", () => {
    expect(render({ ...found, leftovers: [] })).toContain("nothing is left over on what could be asked of site lab");
    expect(render({ ...found, leftovers: [], unasked: [] })).toContain("nothing is left over on site lab\n");
  });

  test("is the same for machines", () => {
    expect(asJson(found, undefined)).toEqual({
      site: "lab",
      leftovers: [{ object: "system h11", system: "cobbler 10.0.0.1", mark: mark("kvm"), kept: "an operation runs" }],
      ofOtherOwners: [expect.objectContaining({ object: "system h12", mark: theirs }), expect.objectContaining({ object: "system h13" })],
      notAsked: [{ system: "XenServer x", message: "no route" }],
    });
  });
});
