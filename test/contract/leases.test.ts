// Who owns what, against the driver, cobblerd and dnsmasq of the lab: marks are seen, moved on purpose, and never by accident.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { CobblerClient } from "../../providers/cobbler/client.ts";
import { distro, template, templateDigest } from "../../providers/cobbler/index.ts";
import { host } from "../../providers/dnsmasq/index.ts";
import { type Definition, type Mark, markText } from "../../providers/kernel/index.ts";
import { type Holding, ownershipOf } from "../../providers/kernel/ownership.ts";
import { lease, listClaims } from "../../providers/site/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { surveySite } from "../../runner/survey.ts";
import { apply, drop, failure, ours, testContext, theirs } from "../support/context.ts";
import { driver } from "../support/light-host.ts";

const cobblerServer = { url: "http://10.91.0.1/cobbler_api", credential: "cobbler" };
const directory = "/srv/testbed/leases-contract";
const claims = ["machine/l1", "address/10.91.0.210"];
const aLease = { server: driver, directory, claims };

const folder = mkdtempSync(join(tmpdir(), "leases-contract-"));
const source = join(folder, "answers");
const text = "echo answers\n";
const aTemplate = { server: cobblerServer, name: "leases.sh", source, sha256: templateDigest(text), kind: "shell" as const };
const aDistro = {
  server: cobblerServer,
  name: "leases-distro",
  breed: "redhat",
  osVersion: "rhel8",
  kernel: "/srv/lab/distro/hv/vmlinuz",
  initrd: "/srv/lab/distro/hv/initrd.img",
};
const anEntry = {
  server: driver,
  hostsDirectory: "/srv/testbed/hosts.d",
  dhcpHostsDirectory: "/srv/testbed/dhcp.d",
  pidFile: "/run/dnsmasq.pid",
  domain: "lab.test",
  name: "l1",
  mac: "52:54:00:91:98:01",
  address: "10.91.0.210",
};

type Any = Definition<Record<string, unknown>, Record<string, unknown>>;
const types = { lease, distro, template, host } as unknown as Record<"lease" | "distro" | "template" | "host", Any>;
const inputsOf = (definition: Any, given: object) => definition.inputs.parse(given) as Record<string, unknown>;
const holdings = (definition: Any, given: object, mark?: Mark) =>
  (ownershipOf(definition.type) as NonNullable<ReturnType<typeof ownershipOf>>).holdings(testContext(mark), inputsOf(definition, given));
const take = (definition: Any, given: object, holding: Holding, mark: Mark = ours) =>
  (ownershipOf(definition.type) as NonNullable<ReturnType<typeof ownershipOf>>).take(
    testContext(mark),
    inputsOf(definition, given),
    holding,
  );
const only = async (definition: Any, given: object): Promise<Holding> => {
  const [first, ...rest] = await holdings(definition, given);
  if (!first || rest.length > 0) throw new Error("expected exactly one object");
  return first;
};

beforeAll(() => writeFileSync(source, text));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeSharedSsh();
});

describe("claims", () => {
  beforeEach(() => rmSync(directory, { recursive: true, force: true }));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("where nothing was ever claimed there is nothing, and looking makes no folder", async () => {
    expect(await listClaims(testContext(), driver, directory)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });

  test("a claim is listed with its holder, since when and from where", async () => {
    await apply(lease, aLease, testContext(theirs));
    const listed = await listClaims(testContext(), driver, directory);
    expect(listed.map(({ claim, holder }) => [claim, holder])).toEqual([
      ["address/10.91.0.210", theirs],
      ["machine/l1", theirs],
    ]);
    expect(listed[0]?.since).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(listed[0]?.from).toMatch(/^\w+@.+/);
  });

  test("after a takeover the new holder's lease goes through and the old one's is refused, naming the new holder", async () => {
    await apply(lease, aLease, testContext(theirs));
    for (const holding of await holdings(types.lease, aLease)) await take(types.lease, aLease, holding);
    await apply(lease, aLease, testContext());
    const error = await failure(apply(lease, aLease, testContext(theirs)));
    expect(error.kind).toBe("conflict");
    expect(error.message).toContain(`held by ${markText(ours)} since`);
    expect(error.message).toContain(`takeover of ${markText(theirs)}`);
  });

  test("one machine is taken, the other stays with its holder", async () => {
    await apply(lease, aLease, testContext(theirs));
    const machine = (await holdings(types.lease, aLease)).find((holding) => holding.object === "machine/l1") as Holding;
    await take(types.lease, aLease, machine);
    const listed = await listClaims(testContext(), driver, directory);
    expect(listed.map(({ claim, holder }) => [claim, holder?.owner])).toEqual([
      ["address/10.91.0.210", theirs.owner],
      ["machine/l1", ours.owner],
    ]);
  });

  test("a claim that changed hands since it was shown is not taken", async () => {
    await apply(lease, aLease, testContext(theirs));
    const shown = (await holdings(types.lease, aLease))[0] as Holding;
    const third = { ...ours, owner: "00000000000000cc" };
    await take(types.lease, aLease, shown, third);
    const error = await failure(take(types.lease, aLease, shown));
    expect(error.kind).toBe("conflict");
    expect(error.message).toContain(`seen ${markText(third)}`);
  });

  test("a claim that was given back since it was shown is not taken", async () => {
    await apply(lease, aLease, testContext(theirs));
    const shown = (await holdings(types.lease, aLease))[0] as Holding;
    await drop(lease, aLease, testContext(theirs));
    expect((await failure(take(types.lease, aLease, shown))).message).toContain("seen no claim");
    expect(await listClaims(testContext(), driver, directory)).toEqual([]);
  });

  test("claims of things that the stack does not want are none of its business", async () => {
    await apply(lease, { ...aLease, claims: ["machine/other"] }, testContext(theirs));
    expect(await holdings(types.lease, aLease)).toEqual([]);
  });
});

describe("cobbler's objects", () => {
  const client = () => new CobblerClient(testContext(), cobblerServer);
  const byHand = () =>
    client().save(
      "distro",
      aDistro.name,
      [
        ["breed", "debian"],
        ["os_version", "bullseye"],
        ["kernel", aDistro.kernel],
        ["initrd", aDistro.initrd],
        ["comment", "the old way"],
      ],
      "new",
    );
  afterEach(async () => {
    if (await client().get("distro", aDistro.name)) await client().remove("distro", aDistro.name);
    if ((await client().readText("template", aTemplate.name)) !== undefined) await client().removeText("template", aTemplate.name);
  });

  test("an absent one is held by nobody, and shown as nothing", async () => {
    expect(await holdings(types.distro, aDistro)).toEqual([]);
    expect(await holdings(types.template, aTemplate)).toEqual([]);
  });

  test("one made by hand is refused by up, adopted on purpose with its comment and attributes kept, and then converged by up", async () => {
    await byHand();
    expect(await failure(apply(distro, aDistro, testContext()))).toMatchObject({ code: "foreign" });
    const shown = await only(types.distro, aDistro);
    expect(shown.holder).toBeUndefined();
    await take(types.distro, aDistro, shown);
    expect(await client().get("distro", aDistro.name)).toMatchObject({ comment: `the old way ${markText(ours)}`, breed: "debian" });
    await apply(distro, aDistro, testContext());
    expect(await client().get("distro", aDistro.name)).toMatchObject({ comment: `the old way ${markText(ours)}`, breed: "redhat" });
  });

  test("one of another owner is taken over, and its old holder is then refused", async () => {
    await apply(distro, aDistro, testContext(theirs));
    await take(types.distro, aDistro, await only(types.distro, aDistro));
    await apply(distro, aDistro, testContext());
    expect(await failure(apply(distro, aDistro, testContext(theirs)))).toMatchObject({ code: "foreign" });
  });

  test("one that somebody marked since it was shown is not taken", async () => {
    await byHand();
    const shown = await only(types.distro, aDistro);
    await take(types.distro, aDistro, shown, theirs);
    expect(await failure(take(types.distro, aDistro, shown))).toMatchObject({ kind: "conflict", code: "changed-hands" });
    expect((await only(types.distro, aDistro)).holder).toEqual(theirs);
  });

  test("a template is taken with its text unchanged", async () => {
    await client().editText("template", aTemplate.name, () => "echo by hand\n");
    await take(types.template, aTemplate, await only(types.template, aTemplate));
    expect(await client().readText("template", aTemplate.name)).toBe(`## ${markText(ours)}\necho by hand\n`);
    await take(types.template, aTemplate, await only(types.template, aTemplate), theirs);
    expect(await client().readText("template", aTemplate.name)).toBe(`## ${markText(theirs)}\necho by hand\n`);
  });

  test("a template that changed hands is not taken", async () => {
    await apply(template, aTemplate, testContext(theirs));
    const stale: Holding = { ...(await only(types.template, aTemplate)), holder: undefined };
    expect(await failure(take(types.template, aTemplate, stale))).toMatchObject({ code: "changed-hands" });
  });

  test("the survey says field by field what up would change", async () => {
    await byHand();
    const wanted = [{ type: distro.type, name: aDistro.name, inputs: inputsOf(types.distro, aDistro) }];
    const [row] = await surveySite(testContext(), wanted);
    expect(row?.differences).toContain('breed: is "debian", will be "redhat"');
    expect(row?.differences.join()).not.toContain("kernel:");
  });
});

describe("dnsmasq's entries", () => {
  const hosts = join(anEntry.hostsDirectory, anEntry.name);
  const dhcp = join(anEntry.dhcpHostsDirectory, anEntry.name);
  const elsewhere = join(anEntry.hostsDirectory, "by-hand");
  beforeAll(() => {
    for (const one of [anEntry.hostsDirectory, anEntry.dhcpHostsDirectory]) mkdirSync(one, { recursive: true });
  });
  afterEach(() => {
    for (const file of [hosts, dhcp, elsewhere]) rmSync(file, { force: true });
  });

  test("one made by hand is adopted with its lines kept, and then converged by up", async () => {
    writeFileSync(hosts, "10.91.0.211 l1.lab.test l1\n");
    expect(await failure(apply(host, anEntry, testContext()))).toMatchObject({ code: "foreign" });
    const shown = await only(types.host, anEntry);
    expect(shown).toMatchObject({ holder: undefined });
    await take(types.host, anEntry, shown);
    expect(readFileSync(hosts, "utf8")).toBe(`# ${markText(ours)}\n10.91.0.211 l1.lab.test l1\n`);
    await apply(host, anEntry, testContext());
    expect(readFileSync(hosts, "utf8")).toContain("10.91.0.210 l1.lab.test");
  });

  test("one of another owner is taken in both folders, and its old holder is then refused", async () => {
    await apply(host, anEntry, testContext(theirs));
    await take(types.host, anEntry, await only(types.host, anEntry));
    for (const file of [hosts, dhcp]) expect(readFileSync(file, "utf8").split("\n")[0]).toBe(`# ${markText(ours)}`);
    expect(await failure(apply(host, anEntry, testContext(theirs)))).toMatchObject({ code: "foreign" });
  });

  test("another file that names the machine is an obstacle, named with what to do", async () => {
    writeFileSync(elsewhere, "10.91.0.210 somebody\n");
    expect((await only(types.host, anEntry)).obstacle).toBe(`${elsewhere} names it as well: remove it there by hand first`);
  });

  test("one that changed hands since it was shown is not taken, in neither folder", async () => {
    await apply(host, anEntry, testContext(theirs));
    const stale: Holding = { ...(await only(types.host, anEntry)), holder: undefined };
    expect((await failure(take(types.host, anEntry, stale))).message).toContain(`seen # ${markText(theirs)}`);
    for (const file of [hosts, dhcp]) expect(readFileSync(file, "utf8").split("\n")[0]).toBe(`# ${markText(theirs)}`);
  });
});
