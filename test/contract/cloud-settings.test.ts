// cloudstack:GlobalSetting and Restart against the emulator, and how the resources of a cloud get their access.

import { describe, expect, test } from "@jest/globals";
import { globalSetting, restart, zone } from "../../providers/cloudstack/index.ts";
import { serverStart } from "../../providers/cloudstack/startup.ts";
import { zoneGiven } from "../support/cloud-objects.ts";
import { apiError } from "../support/cloud-proxy.ts";
import { failure, testContext } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";
import { waitUntil } from "../support/wait-until.ts";

const cloud = TestCloud.forFile();
const dynamic = { name: "ping.timeout", value: "1.5" };
const atStart = { name: "expunge.delay", value: "60" };

async function stored(name: string): Promise<string | undefined> {
  const found = await cloud.client.list<{ name: string; value?: string }>("listConfigurations", "configuration", { name });
  return found.find((one) => one.name === name)?.value;
}

const byHand = (name: string, value: string) => cloud.client.change("updateConfiguration", { name, value });

describe("a global setting", () => {
  test("is set once, and gets the value of before back", async () => {
    const before = await stored(dynamic.name);
    const made = await cloud.up(globalSetting, dynamic);
    expect(made).toMatchObject({ previousValue: before, changedDuring: "" });
    expect(await stored(dynamic.name)).toBe("1.5");
    const changed = await cloud.up(globalSetting, { ...dynamic, value: "1.7" }, made);
    expect(changed.previousValue).toBe(before);
    cloud.proxy.clear();
    expect(await cloud.up(globalSetting, { ...dynamic, value: "1.7" }, changed)).toEqual(changed);
    expect(cloud.proxy.changes).toEqual([]);
    await cloud.down(globalSetting, changed);
    expect(await stored(dynamic.name)).toBe(before);
    cloud.proxy.clear();
    await cloud.down(globalSetting, changed);
    expect(cloud.proxy.changes).toEqual([]);
  });

  test("that has its value already is not set", async () => {
    const value = (await stored(dynamic.name)) ?? "";
    const made = await cloud.up(globalSetting, { ...dynamic, value });
    expect(cloud.proxy.changes).toEqual([]);
    await cloud.down(globalSetting, made);
    expect(await stored(dynamic.name)).toBe(value);
  });

  test("that was changed by hand is seen and mended", async () => {
    const made = await cloud.up(globalSetting, dynamic);
    await byHand(dynamic.name, "9");
    expect(await cloud.refresh(globalSetting, made)).toEqual({ value: "9" });
    const again = await cloud.up(globalSetting, dynamic, made);
    expect(again.previousValue).toBe(made.previousValue);
    await cloud.down(globalSetting, again);
  });

  test("that somebody changed before its removal is left as it is, with a warning", async () => {
    const made = await cloud.up(globalSetting, dynamic);
    await byHand(dynamic.name, "9");
    expect((await cloud.down(globalSetting, made)).join()).toMatch(/warning: ping\.timeout is "9" by now/);
    expect(await stored(dynamic.name)).toBe("9");
    await byHand(dynamic.name, made.previousValue);
  });

  test("of another installation forgets the value of the one before", async () => {
    const made = await cloud.up(globalSetting, dynamic);
    await byHand(dynamic.name, "3");
    const server = { ...cloud.server, installation: "another" };
    const again = await cloud.up(globalSetting, { ...dynamic, server }, made);
    expect(again.previousValue).toBe("3");
    await byHand(dynamic.name, made.previousValue);
  });

  test.each([
    ["a name that the release does not know", { name: "no.such.setting", value: "1" }, "unknown-setting", /no setting of this name/],
    ["a value of the wrong type", { name: "expunge.delay", value: "soon" }, "431/4350", /Value \[soon\] is not a valid/],
    ["a value that is refused as a whole", { name: "secstorage.allowed.internal.sites", value: "10.0.0.0/99" }, "530/4250", /Invalid CIDR/],
  ])("with %s is an error that shows it", async (_, given, code, text) => {
    const error = await failure(cloud.up(globalSetting, given));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });

  test("that the server stores otherwise is an error that shows both", async () => {
    const reply = { updateconfigurationresponse: { configuration: { name: dynamic.name, value: "2" } } };
    cloud.proxy.spoil("updateConfiguration", { status: 200, text: JSON.stringify(reply) });
    expect(await failure(cloud.up(globalSetting, dynamic))).toMatchObject({ code: "not-stored" });
  });
});

describe("a setting that is read at start only", () => {
  test("names the start that must be over, and the restart that is missing is warned of until it happened", async () => {
    const began = Date.now();
    const made = await cloud.up(globalSetting, atStart);
    expect(made.changedDuring).toBe(await serverStart(cloud.client));
    const arguments_ = { settings: { [atStart.name]: atStart.value }, after: [made.changedDuring, ""] };
    const context = testContext();
    await cloud.up(restart, arguments_, undefined, context);
    expect(context.phases.join()).toMatch(/warning: settings that are read at start only were changed \(among expunge\.delay\)/);
    // Starts are told in whole seconds: one within the same second as the last would look like that.
    await waitUntil("another second", () => Date.now() - began > 1100);
    await cloud.guest.systemctl("restart");
    await cloud.guest.until(8080, "open");
    const later = testContext();
    const state = await cloud.up(restart, arguments_, undefined, later);
    expect(later.phases).toEqual([]);
    expect(await cloud.refresh(restart, state)).toEqual({});
    expect((await cloud.down(globalSetting, made)).join()).toMatch(/warning: expunge\.delay is read at start only/);
    await cloud.down(restart, state);
  });

  test("and was not changed needs no restart", async () => {
    const value = (await stored(atStart.name)) ?? "";
    const made = await cloud.up(globalSetting, { ...atStart, value });
    expect(made.changedDuring).toBe("");
    const context = testContext();
    await cloud.up(restart, { after: [made.changedDuring] }, undefined, context);
    expect(context.phases).toEqual([]);
  });
});

describe("access to a server", () => {
  const reach = (change: object, context = testContext()) =>
    cloud.up(globalSetting, { ...dynamic, server: { ...cloud.server, ...change } }, undefined, context);

  test("by the keys of a credential needs no open port", async () => {
    const [user] = await cloud.client.list<{ id: string }>("listUsers", "user", { account: "admin" });
    const { userkeys } = await cloud.client.read("getUserKeys", { id: user?.id ?? "" });
    const { apikey, secretkey } = userkeys as { apikey: string; secretkey: string };
    const context = cloud.contextWith({ keys: { apiKey: apikey, secretKey: secretkey } });
    const ports = { ...cloud.server.ports, open: 0 as const };
    expect((await reach({ ports, credential: "keys" }, context)).value).toBe("1.5");
  });

  test("by a login needs no open port either", async () => {
    const context = cloud.contextWith({ login: { user: "admin", password: "password" } });
    const ports = { ...cloud.server.ports, open: 0 as const };
    expect((await reach({ ports, credential: "login" }, context)).value).toBe("1.5");
  });

  test.each([
    ["keys that the server does not know", { apiKey: "a", secretKey: "secret-of-nobody" }, "401"],
    ["a wrong password", { user: "admin", password: "wrong-password" }, "531"],
  ])("by %s is refused at once, without the secret in a text", async (name, credential, code) => {
    const context = cloud.contextWith({ [name]: credential as unknown as Record<string, string> });
    const ports = { ...cloud.server.ports, open: 0 as const };
    const error = await failure(reach({ ports, credential: name }, context));
    expect(error).toMatchObject({ kind: "refused", code });
    for (const secret of ["secret-of-nobody", "wrong-password"]) expect(error.message).not.toContain(secret);
  });

  test("without open port and credential is an error that names the credential", async () => {
    const ports = { ...cloud.server.ports, open: 0 as const };
    await expect(reach({ ports, credential: "nobody" })).rejects.toThrow("no credential nobody");
  });

  test("that was given and is then refused for ever is a failure at once", async () => {
    await reach({});
    cloud.proxy.spoil("listZones", apiError("listZones", 401, 0, "unable to verify user credentials"), { times: 99 });
    const error = await failure(cloud.up(zone, zoneGiven("z0")));
    expect(error.code).toMatch(/^401/);
    expect(cloud.proxy.commands.filter((one) => one === "listZones")).toHaveLength(1);
  });

  test.each([
    ["503", { status: 503, text: "" }],
    ["429", apiError("listZones", 429, 4545, "The given user has reached his/her account api limit")],
    ["a cut connection", "cut-before" as const],
  ])("that meets %s three times goes on", async (_, fault) => {
    cloud.proxy.spoil("listZones", fault, { times: 3 });
    const made = await cloud.up(zone, zoneGiven("busy"));
    await cloud.down(zone, made);
  });
});
