// What belongs to the site, held by two stacks together, against cobblerd, dnsmasq and the puppet folders of the lab: joining, changing,
// leaving, and who is not let in.
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { distro, system } from "../../providers/cobbler/index.ts";
import { host } from "../../providers/dnsmasq/index.ts";
import { type Mark, markText } from "../../providers/kernel/index.ts";
import { ownershipOf } from "../../providers/kernel/ownership.ts";
import { lease } from "../../providers/site/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { aDistro, answers, aSystem, source } from "../support/cobbler-objects.ts";
import { apply, drop, failure, ours, testContext, theirs } from "../support/context.ts";
import { onDriver } from "../support/driver-shell.ts";
import { dnsmasq, driver } from "../support/light-host.ts";
import { anEntry, entryText, hand, type Inputs, makeSubjects, removeSubjects, subjects } from "../support/shared-subjects.ts";

const xen: Mark = { ...ours, stack: "xen", owner: "00000000000000cc" };
const vmware: Mark = { ...ours, stack: "vmware", owner: "00000000000000dd" };
const otherProject: Mark = { ...xen, project: "other-lab" };

beforeAll(makeSubjects);
afterAll(async () => {
  await removeSubjects();
  await closeSharedSsh();
});

describe.each(subjects)("$title", (subject) => {
  const { definition, there, proof } = subject;
  const as = (mark: Mark) => testContext(mark);
  const up = (mark: Mark, inputs: Inputs = subject.given) => apply(definition, inputs, as(mark));
  const leave = (mark: Mark) => drop(definition, subject.given, as(mark));

  beforeEach(async () => void (await up(ours)));
  afterEach(async () => {
    subject.restored?.();
    for (const mark of [ours, xen, vmware, theirs, otherProject]) await leave(mark);
    expect(await there()).toBe("");
  });

  test("is joined by a second stack, which says so, and both find it as they want it", async () => {
    const { phases } = await up(xen);
    expect(phases.join()).toContain("shared from now on with stack contract");
    expect(phases.join()).not.toContain("warning");
    for (const mark of [ours, xen]) {
      expect(await there()).toContain(markText(mark));
      expect((await up(mark)).phases).toEqual([]);
    }
  });

  test("changed by the second stack is changed for both, with a warning that names the first", async () => {
    await up(xen);
    const { phases } = await up(xen, subject.changed());
    expect(phases.join()).toContain("warning: stack contract of this site uses it too");
    expect(await there()).toContain(proof);
    expect(await there()).toContain(markText(ours));
  });

  test("wanted otherwise by the stack that joins is changed at once, with the same warning", async () => {
    const { phases } = await up(xen, subject.changed());
    expect(phases.join()).toContain("warning: stack contract of this site uses it too");
    for (const piece of [proof, markText(ours), markText(xen)]) expect(await there()).toContain(piece);
  });

  test("stays when the first stack leaves, which says for whom, and goes with the last", async () => {
    await up(xen);
    expect((await leave(ours)).join()).toContain("kept, still used by stack xen");
    expect(await there()).toContain(markText(xen));
    expect(await there()).not.toContain(markText(ours));
    expect((await up(xen)).phases).toEqual([]);
    await leave(xen);
    expect(await there()).toBe("");
  });

  test("with three stacks is kept for two, by name", async () => {
    await up(xen);
    await up(vmware);
    expect((await leave(xen)).join()).toContain("kept, still used by stacks contract, vmware");
    expect((await up(vmware)).phases).toEqual([]);
  });

  test("is refused to the same stack from another state, and nothing is written", async () => {
    await up(xen);
    const before = await there();
    const error = await failure(up(theirs, subject.changed()));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(error.message).toContain(markText(ours));
    expect(await there()).toBe(before);
  });

  test("is refused to another project, and nothing is written", async () => {
    const before = await there();
    const error = await failure(up(otherProject));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(await there()).toBe(before);
  });

  test("is left alone when a stack that does not hold it leaves", async () => {
    const before = await there();
    await leave(xen);
    expect(await there()).toBe(before);
  });

  test("joined again after the first left and came back is one object of both", async () => {
    await up(xen);
    await leave(ours);
    expect((await up(ours)).phases.join()).toContain("shared from now on with stack xen");
    for (const mark of [ours, xen]) expect(await there()).toContain(markText(mark));
  });

  test("is nothing to take over from another stack, and is taken from the same stack's old state beside the other's mark", async () => {
    const ownership = ownershipOf(definition.type);
    const inputs = definition.inputs.parse(subject.given) as Inputs;
    expect(await ownership?.holdings(as(xen), inputs)).toEqual([expect.objectContaining({ holder: ours, shared: true })]);
    await up(xen);
    const [holding, ...rest] = (await ownership?.holdings(as(theirs), inputs)) ?? [];
    expect(rest).toEqual([]);
    expect(holding).toMatchObject({ holder: ours });
    expect(holding).not.toHaveProperty("shared");
    await ownership?.take(as(theirs), inputs, holding as NonNullable<typeof holding>);
    for (const mark of [theirs, xen]) expect((await up(mark)).phases).toEqual([]);
    expect((await failure(up(ours))).code).toBe("foreign");
  });
});

describe("cobbler's objects that two stacks make in the same moment", () => {
  test.each(subjects.slice(0, 5))("$title ends with both marks", async ({ definition, given, there }) => {
    await Promise.all([ours, xen].map((mark) => apply(definition, given, testContext(mark))));
    for (const mark of [ours, xen]) expect(await there()).toContain(markText(mark));
    await drop(definition, given, testContext(ours));
    await drop(definition, given, testContext(xen));
    expect(await there()).toBe("");
  });

  test("a save of one that faults is finished by that stack, whatever the other does meanwhile", async () => {
    const given = { ...aDistro, name: "shared-distro" };
    await apply(distro, given);
    await hand.edit("distro", given.name, { comment: `${markText(ours)}/unfinished` });
    await apply(distro, given, testContext(xen));
    expect((await apply(distro, given)).phases).toEqual(["finishing the last save"]);
    expect(await hand.call("get_distro", given.name)).toMatchObject({ comment: `${markText(ours)} ${markText(xen)}` });
    for (const mark of [ours, xen]) await drop(distro, given, testContext(mark));
  });
});

describe("a machine", () => {
  test("as cobbler's system is refused to another stack, and keeps one mark", async () => {
    const error = await failure(apply(system, aSystem, testContext(xen)));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(await hand.call("get_system", aSystem.name)).toMatchObject({ comment: markText(ours) });
  });
});

describe("the entry of a machine that another stack claims later", () => {
  afterEach(async () => {
    for (const mark of [ours, xen]) await drop(host, anEntry, testContext(mark));
  });

  test("is adjusted by that stack without a refusal, and survives the other's end", async () => {
    await apply(host, anEntry);
    const moved = { ...anEntry, mac: "52:54:00:91:96:09" };
    const { phases } = await apply(host, moved, testContext(xen));
    expect(phases.join()).toContain("warning: stack contract");
    await drop(host, anEntry);
    expect(await entryText()).toBe(
      `# ${markText(xen)}\n10.91.0.231 s1.lab.test s1\n# ${markText(xen)}\n52:54:00:91:96:09,10.91.0.231,s1\n`,
    );
  });

  test("loses only our mark as a stray: the lease of the stack that leaves says for whom it stays", async () => {
    await apply(host, anEntry);
    await apply(host, anEntry, testContext(xen));
    const { hostsDirectory, dhcpHostsDirectory, pidFile } = dnsmasq;
    const aLease = {
      server: driver,
      directory: "/srv/testbed/leases-shared",
      claims: ["machine/nothing"],
      entries: { hostsDirectory, dhcpHostsDirectory, pidFile, names: [] },
    };
    const { phases } = await apply(lease, aLease);
    expect(phases.join()).toContain("dnsmasq entry s1 (kept, still used by stack xen)");
    expect(await entryText()).not.toContain(markText(ours));
    expect(await entryText()).toContain(`# ${markText(xen)}\n10.91.0.231`);
    await drop(lease, aLease);
    await onDriver("rm -rf /srv/testbed/leases-shared");
  });
});

test("the source of the shared texts is as it was", () => expect(readFileSync(source, "utf8")).toBe(answers));
