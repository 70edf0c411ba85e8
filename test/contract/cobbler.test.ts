// Every kind of cobbler object against the real cobblerd of the lab: made, changed, drifted, adopted, refused, removed.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { distro, profile, sync, system } from "../../providers/cobbler/index.ts";
import {
  aDistro,
  aProfile,
  aRepo,
  aSystem,
  type Field,
  makeObjects,
  nic,
  removeObjects,
  server,
  subjects,
} from "../support/cobbler-objects.ts";
import { byHand } from "../support/cobblerd.ts";
import { apply, drop, failure, labCredentials, observed, ours, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";

let hand: Awaited<ReturnType<typeof byHand>>;
const ourMark = `cloudstack-testbed:${ours.project}/${ours.stack}/${ours.owner}`;

beforeAll(async () => {
  hand = await byHand(server.url);
  await makeObjects();
});
afterAll(removeObjects);

describe.each(subjects)("$title", (subject) => {
  // The definitions differ only in their inputs, which a table cannot type.
  const definition = subject.definition as unknown as typeof distro;
  const given = subject.inputs as unknown as typeof aDistro;
  const copy = subject.copy as unknown as typeof aDistro;
  const { kind, fields } = subject;
  const whole = definition.inputs.parse(given) as Record<string, unknown>;
  const item = async (name = given.name) => (await hand.call(`get_${kind}`, name)) as Record<string, unknown> | "~";
  /** The attribute that the server has for a field; an interface's are compared as inputs only. */
  const expectThere = async ([, , attribute, there]: Field) => {
    if (attribute !== "modify_interface") expect(await item()).toMatchObject({ [attribute]: there });
  };

  test("is made with our mark, and applied again writes nothing", async () => {
    expect(await item()).toMatchObject({ comment: ourMark });
    expect((await apply(definition, given)).phases).toEqual([]);
  });

  test("returns the server's own id", async () => {
    expect((await apply(definition, given)).outputs.uid).toBe(((await item()) as { uid: string }).uid);
  });

  test("shows no drift right after it was made", async () => {
    const seen = (await observed(definition, given)) as Record<string, unknown>;
    expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((key) => [key, whole[key]])));
  });

  test("has another value in this table for every input that cobbler keeps", async () => {
    const seen = Object.keys((await observed(definition, given)) as object);
    expect(new Set(fields.map(([input]) => input))).toEqual(new Set(seen));
  });

  test.each(fields)("a changed %s, to %j, is written alone and read back", async (...field) => {
    const [input, value, attribute] = field;
    const changed = { ...given, [input]: value };
    expect((await apply(definition, changed)).phases).toEqual([`changing ${attribute}`]);
    await expectThere(field);
    expect(await observed(definition, changed)).toMatchObject({ [input]: value });
    expect((await apply(definition, changed)).phases).toEqual([]);
    await apply(definition, given);
  });

  test.each(fields)("a %s set to %j by hand is seen and mended", async (...field) => {
    const [input, value, attribute, there] = field;
    await hand.edit(kind, given.name, { [attribute]: there });
    expect(await observed(definition, given)).toMatchObject({ [input]: value });
    expect((await apply(definition, given)).phases).toEqual([`changing ${attribute}`]);
    expect(await observed(definition, given)).toMatchObject({ [input]: whole[input] });
  });

  test("is refused to another owner, who is told whose it is", async () => {
    const error = await failure(apply(definition, { ...given, adopt: true }, testContext(theirs)));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(error.message).toContain(`belongs to ${ourMark}`);
  });

  test("is left alone when another owner deletes it", async () => {
    expect((await drop(definition, given, testContext(theirs))).join()).toContain("was left alone");
    expect(await item()).not.toBe("~");
  });

  test("made by hand is refused, and taken over only on request, with what was written there", async () => {
    await hand.edit(kind, given.name, { comment: "made by hand" });
    const error = await failure(apply(definition, given));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(error.message).toContain("was not made by this stack");
    expect((await apply(definition, { ...given, adopt: true })).phases).toEqual(["changing comment"]);
    expect(await item()).toMatchObject({ comment: `made by hand ${ourMark}` });
    await hand.edit(kind, given.name, { comment: ourMark });
  });

  test("whose save fails after it was persisted is finished by the next run", async () => {
    const [input, value] = fields.at(-1) as Field;
    const changed = { ...given, [input]: value };
    await fault("cobblerd", "save-fails");
    expect((await failure(apply(definition, changed)).finally(() => fault("cobblerd", "clear"))).code).toBe("trigger-failed");
    expect((await apply(definition, changed)).phases).toEqual(["finishing the last save"]);
    expect((await apply(definition, changed)).phases).toEqual([]);
    await apply(definition, given);
  });

  test("is removed; removed again, or never made, is success", async () => {
    await apply(definition, copy);
    expect(await drop(definition, copy)).toEqual(["removing"]);
    expect(await item(copy.name)).toBe("~");
    expect(await drop(definition, copy)).toEqual([]);
  });

  test("removed by hand is made anew", async () => {
    await apply(definition, copy);
    await hand.withToken(`remove_${kind}`, copy.name);
    expect(await observed(definition, copy)).toBeUndefined();
    expect((await apply(definition, copy)).phases).toEqual(["creating"]);
    await drop(definition, copy);
  });

  test("with a wrong password is refused without another try, and without the password", async () => {
    const wrong = testContext(ours, { ...labCredentials, wrong: { user: "cobbler", password: "not-this-one" } });
    const error = await failure(apply(definition, { ...given, server: { url: server.url, credential: "wrong" } }, wrong));
    expect([error.kind, error.code]).toEqual(["refused", "login-failed"]);
    expect(error.message).toContain("credentials.wrong");
    expect(error.message).not.toContain("not-this-one");
  });
});

describe.each(subjects.filter((subject) => subject.refused))("$title", ({ definition, refused, refusal, kind }) => {
  test("that cobbler refuses half-way leaves nothing behind", async () => {
    const error = await failure(apply(definition as unknown as typeof distro, refused as unknown as typeof aDistro));
    expect([error.kind, error.code]).toEqual(["invalid", refusal]);
    expect(await hand.call("has_item", kind, "contract-broken")).toBe(false);
  });
});

describe("an object in use", () => {
  test("is not removed from under another: a profile of a system", async () => {
    const error = await failure(drop(profile, aProfile));
    expect([error.kind, error.code]).toEqual(["conflict", "in-use"]);
  });

  test("is not removed from under another: a distro of a profile", async () => {
    expect((await failure(drop(distro, aDistro))).code).toBe("in-use");
  });
});

describe("a duplicate", () => {
  const other = { mac: "52:54:00:91:99:02", address: "10.91.0.202", dnsName: "c2.lab.test" };
  test.each([
    ["MAC", { ...other, mac: nic.mac }, "c2.lab.test", nic.mac],
    ["address", { ...other, address: nic.address }, "c2.lab.test", nic.address],
    ["DNS name", { ...other, dnsName: nic.dnsName }, "c2.lab.test", nic.dnsName],
    ["host name", other, aSystem.hostname, `hostname ${aSystem.hostname}`],
  ])("%s is found before anything is written", async (_, change, hostname, value) => {
    const error = await failure(apply(system, { ...aSystem, name: "contract-c2", hostname, interfaces: [{ ...nic, ...change }] }));
    expect([error.kind, error.code]).toEqual(["conflict", "duplicate"]);
    expect(error.message).toContain(`${value} is in use by the system contract-c1`);
    expect(await hand.call("has_item", "system", "contract-c2")).toBe(false);
  });

  test("of several kinds is reported with all of them", async () => {
    const { message } = await failure(apply(system, { ...aSystem, name: "contract-c2" }));
    for (const value of [nic.mac, nic.address, `hostname ${aSystem.hostname}`, `dns_name ${nic.dnsName}`]) expect(message).toContain(value);
  });

  test("given by hand to another system is found on update too", async () => {
    await hand.make("system", "contract-c3", { profile: aProfile.name, modify_interface: { "macaddress-eth0": "52:54:00:91:99:03" } });
    const error = await failure(apply(system, { ...aSystem, interfaces: [{ ...nic, mac: "52:54:00:91:99:03" }] }));
    expect(error.message).toContain("is in use by the system contract-c3");
    await hand.withToken("remove_system", "contract-c3");
  });
});

describe("a full sync", () => {
  const syncs = async () => Object.keys((await hand.call("get_events")) as object).filter((name) => name.includes("Sync")).length;

  test("asked for together is one", async () => {
    const earlier = await syncs();
    await Promise.all(Array.from({ length: 5 }, (_, index) => apply(sync, { server, digest: `d${index}` })));
    expect((await syncs()) - earlier).toBe(1);
  });

  test("is none where nothing manages DHCP or DNS and a system is removed", async () => {
    const earlier = await syncs();
    await drop(system, { ...aSystem, name: "never-made" });
    expect((await syncs()) - earlier).toBe(0);
  });

  test("that was made stays made on a refresh, and is never undone", async () => {
    const made = await apply(sync, { server, digest: "d" });
    const seen = await sync.observe(testContext(), { server, digest: "d" }, made.outputs);
    expect(seen?.outputs).toEqual(made.outputs);
    expect(await drop(sync, { server, digest: "d" })).toEqual([]);
  });
});

describe("a server", () => {
  afterEach(() => fault("cobblerd", "clear"));

  test("that does not listen is unreachable, by its address", async () => {
    const error = await failure(apply(distro, { ...aDistro, server: { url: "http://10.91.0.1:1/cobbler_api" } }));
    expect([error.kind, error.code]).toEqual(["unreachable", "connect-failed"]);
    expect(error.message).toContain("http://10.91.0.1:1/cobbler_api");
  });

  test("that is something else is refused, by its address", async () => {
    const error = await failure(apply(distro, { ...aDistro, server: { url: "http://10.91.0.1/lab/" } }));
    expect([error.kind, error.code]).toEqual(["refused", "not-xmlrpc"]);
  });

  test("whose credential is not set is refused by that name", async () => {
    await expect(apply(distro, { ...aDistro, server: { url: server.url, credential: "none" } })).rejects.toThrow("no credential none");
  });

  test("that restarts after a call loses nothing", async () => {
    await fault("cobblerd", "restarts");
    const changed = { ...aRepo, priority: 3, environment: { fresh: "yes" } };
    const { definition } = subjects[3] as { definition: unknown };
    await apply(definition as typeof distro, changed as unknown as typeof aDistro);
    expect(await hand.call("get_repo", aRepo.name)).toMatchObject({ priority: 3, environment: { fresh: "yes" } });
  });
});
