// Cobbler resources against a real cobblerd that is killed, restarted, stopped and broken in the middle of things.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { CobblerClient } from "../../providers/cobbler/client.ts";
import { distro, endInstall, profile, repo, sync, system, template, templateDigest } from "../../providers/cobbler/index.ts";
import { byHand, Cobblerd } from "../support/cobblerd.ts";
import { apply, drop, failure, observed, ours, type TestContext, testContext } from "../support/context.ts";
import { beforeCall, fault, loseAnswer, Wire } from "../support/wire.ts";

const daemon = new Cobblerd(25252);
let wire: Wire;
const folder = mkdtempSync(join(tmpdir(), "cobbler-failures-"));
const source = join(folder, "answers");
writeFileSync(source, "echo installed\n");

const server = () => ({ url: wire.url });
const aDistro = () => ({
  server: server(),
  name: "d",
  breed: "redhat",
  osVersion: "rhel8",
  kernel: "/srv/lab/distro/hv/vmlinuz",
  initrd: "/srv/lab/distro/hv/initrd.img",
});
const aProfile = () => ({ server: server(), name: "p", distro: "d", autoinstall: "t.sh" });
const aTemplate = () => ({ server: server(), name: "t.sh", source, sha256: templateDigest("echo installed\n"), kind: "shell" as const });
const aSystem = (name: string, number: number) => ({
  server: server(),
  name,
  profile: "p",
  hostname: `${name}.lab.test`,
  gateway: "10.91.0.1",
  interfaces: [
    { name: "eth0", mac: `52:54:00:92:00:${number}`, address: `10.91.0.${number}`, netmask: "255.255.255.0", dnsName: `${name}.lab.test` },
  ],
});
const bootFile = (number: number) => `pxelinux.cfg/01-52-54-00-92-00-${number}`;
const client = () => new CobblerClient(testContext(), server());
const updating = (context = testContext()): TestContext => ({ ...context, operation: "update" });
const within = (milliseconds: number): TestContext => ({ ...testContext(), signal: AbortSignal.timeout(milliseconds) });
const under = (controller: AbortController): TestContext => ({ ...testContext(), signal: controller.signal });
const mark = `cloudstack-testbed:${ours.project}/${ours.stack}/${ours.owner}`;

beforeAll(async () => {
  await daemon.start();
  wire = await Wire.to(daemon.url);
  await apply(template, aTemplate());
  await apply(distro, aDistro());
  await apply(profile, aProfile());
});

afterEach(() => {
  daemon.thaw();
  daemon.mendTrigger();
  wire.reset();
});

afterAll(async () => {
  await wire.close();
  await daemon.remove();
  rmSync(folder, { recursive: true });
});

describe("a save that persists and then fails", () => {
  test("on create keeps the object with a note, and the next run writes its boot files", async () => {
    daemon.breakTrigger();
    const error = await failure(apply(system, aSystem("s1", 11)));
    expect([error.kind, error.code]).toEqual(["refused", "trigger-failed"]);
    expect((await client().get("system", "s1"))?.comment).toBe(`${mark}/unfinished`);
    expect(daemon.bootFile(bootFile(11))).toBeUndefined();

    daemon.mendTrigger();
    expect((await apply(system, aSystem("s1", 11))).phases).toEqual(["finishing the last save"]);
    expect(daemon.bootFile(bootFile(11))).toContain("p");
    expect((await client().get("system", "s1"))?.comment).toBe(mark);
    expect((await apply(system, aSystem("s1", 11))).phases).toEqual([]);
  });

  test("on update keeps the new value, and the next run brings it into the boot files, after a restart too", async () => {
    await apply(system, aSystem("s2", 12));
    await (await byHand(daemon.url)).edit("system", "s2", { netboot_enabled: true });
    daemon.breakTrigger();
    const changed = { ...aSystem("s2", 12), kernelOptions: { fresh: "yes" } };
    expect((await failure(apply(system, changed))).code).toBe("trigger-failed");
    expect(daemon.bootFile(bootFile(12))).not.toContain("fresh=yes");

    daemon.mendTrigger();
    await daemon.restart();
    expect((await apply(system, changed)).phases).toEqual(["finishing the last save"]);
    expect(daemon.bootFile(bootFile(12))).toContain("fresh=yes");
  });

  test("is finished by the next update even where no note could be left", async () => {
    await apply(system, aSystem("s3", 13));
    await (await byHand(daemon.url)).edit("system", "s3", { netboot_enabled: true });
    wire.reset();
    daemon.breakTrigger();
    wire.interfere = async (method, forward) =>
      method === "modify_system" && wire.count("save_system") > 0
        ? fault("<class 'OSError'>:[Errno 28] No space left on device")
        : forward();
    const changed = { ...aSystem("s3", 13), kernelOptions: { fresh: "yes" } };
    expect((await failure(apply(system, changed))).code).toBe("trigger-failed");
    expect((await client().get("system", "s3"))?.comment).toBe(mark);

    daemon.mendTrigger();
    wire.reset();
    expect((await apply(system, changed, updating())).phases).toEqual(["saving once more"]);
    expect(daemon.bootFile(bootFile(13))).toContain("fresh=yes");
  });

  test("still fails while its cause lasts, and says so each time", async () => {
    daemon.breakTrigger();
    await failure(apply(system, aSystem("s4", 14)));
    expect((await failure(apply(system, aSystem("s4", 14)))).code).toBe("trigger-failed");
    expect((await failure(apply(system, aSystem("s4", 14)))).message).toContain("the next `pulumi up` finishes it");
  });

  test("of a machine's netboot flag is made up for when it is ended again", async () => {
    await apply(system, aSystem("s5", 15));
    await (await byHand(daemon.url)).edit("system", "s5", { netboot_enabled: true });
    expect(daemon.bootFile(bootFile(15))).not.toContain("localboot");
    daemon.breakTrigger();
    expect((await failure(endInstall(testContext(), server(), "s5"))).code).toBe("trigger-failed");
    expect(daemon.bootFile(bootFile(15))).not.toContain("localboot");

    daemon.mendTrigger();
    expect(await endInstall(testContext(), server(), "s5")).toBe(true);
    expect(daemon.bootFile(bootFile(15))).toContain("localboot");
  });

  test("leaves no note on an object that is somebody else's", async () => {
    const hand = await byHand(daemon.url);
    await hand.make("system", "foreign", { profile: "p" });
    daemon.breakTrigger();
    expect((await failure(client().save("system", "foreign", [["gateway", "10.91.0.9"]], "edit"))).code).toBe("trigger-failed");
    expect((await client().get("system", "foreign"))?.comment).toBe("");
  });

  test("of a full sync is reported with the task's own words, and the next run syncs again", async () => {
    daemon.breakTrigger();
    const error = await failure(apply(sync, { server: server(), digest: "a" }));
    expect([error.kind, error.code]).toEqual(["refused", "sync-failed"]);
    daemon.mendTrigger();
    expect((await apply(sync, { server: server(), digest: "a" })).phases).toEqual(["full sync"]);
  });
});

describe("a cobblerd that is restarted", () => {
  test("after a new object was begun: the object is made all the same, once and whole", async () => {
    const mirrored = { server: server(), name: "r1", mirror: "http://here/", arch: "x86_64" as const };
    wire.interfere = beforeCall("modify_repo", () => daemon.restart());
    await apply(repo, mirrored);
    expect(await observed(repo, mirrored)).toMatchObject({ mirror: "http://here/" });
    expect(wire.count("new_repo")).toBe(2);
  });

  test("before a system is made: it is made all the same, once and whole", async () => {
    wire.interfere = beforeCall("xapi_object_edit", () => daemon.restart());
    await apply(system, aSystem("r1", 21));
    expect(await observed(system, aSystem("r1", 21))).toMatchObject({ gateway: "10.91.0.1", hostname: "r1.lab.test" });
    expect(wire.count("xapi_object_edit")).toBe(2);
  });

  test("between the changes of an object and their save: none of them is lost", async () => {
    await apply(system, aSystem("r2", 22));
    wire.interfere = beforeCall("save_system", () => daemon.restart());
    const changed = { ...aSystem("r2", 22), gateway: "10.91.0.9", kernelOptions: { fresh: "yes" } };
    await apply(system, changed);
    await daemon.restart();
    expect(await observed(system, changed)).toMatchObject({ gateway: "10.91.0.9", kernelOptions: { fresh: "yes" } });
  });

  test("before a template is written or a removal: both are done", async () => {
    const other = { ...aTemplate(), name: "other.sh" };
    wire.interfere = beforeCall("write_autoinstall_template", () => daemon.restart());
    await apply(template, other);
    wire.interfere = beforeCall("remove_autoinstall_template", () => daemon.restart());
    await drop(template, other);
    expect(await observed(template, other)).toBeUndefined();
  });

  test("while it syncs: the sync is begun once more", async () => {
    wire.interfere = beforeCall("get_task_status", () => daemon.restart());
    await apply(sync, { server: server(), digest: "restarted" });
    // The second of them is refused, for its token is of the time before.
    expect(wire.count("background_sync")).toBe(3);
  });

  test("costs one new login, however many resources ask at that moment", async () => {
    await daemon.restart();
    await Promise.all(Array.from({ length: 10 }, () => observed(template, aTemplate())));
    expect(wire.count("login")).toBe(1);
  });
});

describe("an answer that gets lost", () => {
  test("after a create: the object is there once, saved by the second attempt as well", async () => {
    wire.interfere = loseAnswer("save_repo");
    const { outputs } = await apply(repo, { server: server(), name: "l1", mirror: "http://here/" });
    expect([wire.count("new_repo"), wire.count("save_repo")]).toEqual([1, 2]);
    expect(outputs.uid).toBe((await client().get("repo", "l1"))?.uid);
  });

  test("after a system was made: it is there once, saved by the second attempt as well", async () => {
    wire.interfere = loseAnswer("xapi_object_edit");
    const { outputs } = await apply(system, aSystem("l1", 31));
    expect([wire.count("xapi_object_edit"), wire.count("save_system")]).toEqual([1, 1]);
    expect(outputs.uid).toBe((await client().get("system", "l1"))?.uid);
  });

  test("is not mistaken for another's create of that name a moment earlier, which is refused and left alone", async () => {
    const hand = await byHand(daemon.url);
    wire.interfere = beforeCall("save_repo", () => hand.make("repo", "contended", { mirror: "http://elsewhere/" }));
    const error = await failure(apply(repo, { server: server(), name: "contended", mirror: "http://here/" }));
    expect([error.kind, error.code]).toEqual(["conflict", "exists"]);
    expect(await client().get("repo", "contended")).toMatchObject({ mirror: "http://elsewhere/", comment: "" });
  });

  test("is not mistaken for another's system of that name a moment earlier either", async () => {
    const hand = await byHand(daemon.url);
    wire.interfere = beforeCall("xapi_object_edit", () => hand.make("system", "contended", { profile: "p" }));
    const error = await failure(apply(system, aSystem("contended", 33)));
    expect([error.kind, error.code]).toEqual(["conflict", "exists"]);
    expect(await client().get("system", "contended")).toMatchObject({ hostname: "", comment: "" });
  });

  test("of a system that another made anew at that moment is no success of ours", async () => {
    const hand = await byHand(daemon.url);
    wire.interfere = async (method, forward) => {
      const answer = await forward();
      if (method === "xapi_object_edit") await hand.edit("system", "overtaken", { comment: "made by hand" });
      return answer;
    };
    const error = await failure(apply(system, aSystem("overtaken", 34)));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
  });

  test("after a removal: the object is gone and the removal succeeds", async () => {
    await apply(system, aSystem("l2", 32));
    wire.interfere = loseAnswer("remove_system");
    await drop(system, aSystem("l2", 32));
    expect(await client().get("system", "l2")).toBeUndefined();
  });

  test("after a sync was begun: no second one is started beside it", async () => {
    wire.interfere = loseAnswer("background_sync");
    const error = await failure(apply(sync, { server: server(), digest: "lost" }));
    expect([error.kind, error.code]).toEqual(["refused", "sync-unknown"]);
    expect(wire.count("background_sync")).toBe(1);
  });
});

describe("a cobblerd that is down", () => {
  test("for a moment delays the create and no more", async () => {
    await daemon.kill();
    const applied = apply(system, aSystem("w1", 41));
    await daemon.start();
    expect((await applied).phases).toEqual(["creating"]);
  });

  test("for long ends in an error that names it and what was seen last", async () => {
    await daemon.kill();
    const error = await failure(apply(distro, { ...aDistro(), server: { url: daemon.url } }, within(1500)));
    expect(error.message).toContain(daemon.url);
    expect(error.message).toMatch(/ECONNREFUSED/);
    await daemon.start();
  });
});

describe("a cobblerd that is slow", () => {
  test("is waited for", async () => {
    daemon.freeze();
    const applied = apply(system, aSystem("f1", 51));
    setTimeout(() => daemon.thaw(), 500);
    expect((await applied).phases).toEqual(["creating"]);
  });

  test("beyond the limit of a call is a time-out, not an absent server", async () => {
    await observed(distro, aDistro());
    daemon.freeze();
    const impatient = { ...aDistro(), server: { url: daemon.url, timeoutSeconds: 0.3 } };
    const error = await failure(observed(distro, impatient));
    expect([error.kind, error.code]).toEqual(["timeout", "no-answer"]);
  });

  test("is left at once by a caller that is cancelled", async () => {
    await observed(distro, aDistro());
    daemon.freeze();
    const controller = new AbortController();
    const applied = failure(apply(distro, aDistro(), under(controller)));
    controller.abort(new Error("interrupted by SIGTERM"));
    const error = await applied;
    expect(error.kind).toBe("timeout");
    expect(error.message).toContain("interrupted by SIGTERM");
  });
});

describe("work that several resources share", () => {
  test("a sync goes on for the others when its first caller is cancelled", async () => {
    const first = new AbortController();
    wire.interfere = beforeCall("background_sync", () => first.abort(new Error("interrupted by SIGTERM")));
    const cancelled = failure(apply(sync, { server: server(), digest: "1" }, under(first)));
    const others = [apply(sync, { server: server(), digest: "2" }), apply(sync, { server: server(), digest: "3" })];
    expect((await cancelled).code).toBe("interrupted");
    await Promise.all(others);
    expect(wire.count("background_sync")).toBe(1);
  });

  test("a sync that every caller has left before it began is not begun", async () => {
    const gone = AbortSignal.abort(new Error("interrupted by SIGINT"));
    const all = [1, 2].map((digest) =>
      failure(apply(sync, { server: server(), digest: String(digest) }, { ...testContext(), signal: gone })),
    );
    expect((await Promise.all(all)).map((error) => error.kind)).toEqual(["timeout", "timeout"]);
    expect(wire.count("background_sync")).toBe(0);
  });

  test("a login goes on for the others when its first caller is cancelled", async () => {
    await daemon.restart();
    const first = new AbortController();
    wire.interfere = beforeCall("login", () => first.abort(new Error("interrupted by SIGTERM")));
    const cancelled = failure(apply(template, aTemplate(), under(first)));
    const other = observed(template, aTemplate());
    expect((await cancelled).kind).toBe("timeout");
    expect(await other).toBeDefined();
    expect(wire.count("login")).toBe(1);
  });
});

describe("a server of another version", () => {
  const reply = (version: string) =>
    Buffer.from(
      `<methodResponse><params><param><value><struct><member><name>version</name><value><string>${version}</string></value></member><member><name>version_tuple</name><value><array><data>${version
        .split(".")
        .map((part) => `<value><int>${part}</int></value>`)
        .join("")}</data></array></value></member></struct></value></param></params></methodResponse>`,
    );
  /** A wire of its own: a version is read once for each address and process. */
  async function asked(answer: Buffer) {
    const other = await Wire.to(daemon.url);
    other.interfere = async (method, forward) => (method === "extended_version" ? answer : forward());
    const error = await failure(apply(template, { ...aTemplate(), server: { url: other.url } }));
    await other.close();
    return { error, logins: other.count("login") };
  }

  test.each(["2.8.5", "3.2.2", "3.4.0", "4.0.0"])("%s is refused by name, before any login", async (version) => {
    const { error, logins } = await asked(reply(version));
    expect([error.kind, error.code]).toEqual(["refused", "unsupported-version"]);
    expect(error.message).toContain(`version ${version}`);
    expect(logins).toBe(0);
  });

  test("that does not know the question is refused in cobbler's words", async () => {
    const { error } = await asked(fault("<class 'cobbler.cexceptions.CX'>:'unknown remote method 'extended_version''"));
    expect([error.kind, error.code]).toEqual(["refused", "unknown-method"]);
    expect(error.message).toContain("extended_version");
  });

  test("that answers with something else is refused", async () => {
    const { error } = await asked(
      Buffer.from("<methodResponse><params><param><value><string>hello</string></value></param></params></methodResponse>"),
    );
    expect(error.code).toBe("unsupported-version");
  });
});
