// cloudstack:ManagementServer against the lab's emulator: servers that come up, and their settings.

import { describe, expect, test } from "@jest/globals";
import { managementServer } from "../../providers/cloudstack/index.ts";
import { failure, labCredentials, ours, testContext } from "../support/context.ts";
import { TestServer } from "../support/management-server.ts";

const server = TestServer.forEachTest();

describe("a management server that comes up", () => {
  test("is waited for in the order in which it starts, and its keys work", async () => {
    const { outputs, phases } = await server.apply();
    const { api, open, database } = server.inputs.ports;
    expect(phases).toEqual([
      "waiting for SSH (port 22) to answer",
      `waiting for the database (port ${database}) to greet`,
      `waiting for the API (port ${open}) to answer`,
      `waiting for the API (port ${api}) to answer`,
    ]);
    expect(outputs).toMatchObject({
      seenRelease: "4.20.3.0",
      url: `http://${server.inputs.address}:${api}/client/api`,
      userId: await server.administrator(),
    });
    expect(await server.signed(outputs).list("listUsers", "user")).toHaveLength(1);
  });

  test("applied again keeps the keys and changes nothing", async () => {
    const given = { settings: { "expunge.delay": "20" } };
    const { outputs } = await server.apply(given);
    const start = await server.start();
    const { outputs: second, phases } = await server.apply(given, testContext(), server.state(outputs, given));
    expect(second).toEqual(outputs);
    expect(phases.filter((phase) => !phase.startsWith("waiting"))).toEqual([]);
    expect(await server.start()).toBe(start);
  });

  test("shows no drift right after it was made", async () => {
    const given = { settings: { "expunge.delay": "60", "ping.timeout": "1.5" } };
    const { outputs } = await server.apply(given);
    expect(await server.drift(server.state(outputs, given))).toEqual({ settings: given.settings });
  });

  test("keys that exist already are taken, not replaced", async () => {
    await server.guest.until(8096, "open");
    const made = (await server.openPort().change("registerUserKeys", { id: await server.administrator() })).userkeys as {
      apikey: string;
      secretkey: string;
    };
    const { outputs } = await server.apply();
    expect([outputs.apiKey, outputs.secretKey]).toEqual([made.apikey, made.secretkey]);
  });

  test("answers of 503 are waited out", async () => {
    await server.guest.fault("cloud-5xx", "3");
    const { outputs } = await server.apply();
    expect(await server.signed(outputs).list("listUsers", "user")).toHaveLength(1);
  });

  test("a restart in the middle is waited out", async () => {
    await server.guest.fault("cloud-restarts");
    const { outputs } = await server.apply();
    expect(await server.signed(outputs).list("listUsers", "user")).toHaveLength(1);
  });

  test("without an open port the keys are obtained by a login", async () => {
    await server.guest.fault("cloud-no-open-port");
    const closed = { ports: { ...server.inputs.ports, open: 0 } };
    const credentials = { ...labCredentials, cloudstack: { user: "admin", password: "password" } };
    const { outputs } = await server.apply(closed, testContext(ours, credentials));
    expect(await server.signed(outputs).list("listUsers", "user")).toHaveLength(1);
    // Nobody needs to log in a second time: the password may be another one by then.
    const wrong = { ...labCredentials, cloudstack: { user: "admin", password: "changed meanwhile" } };
    const { outputs: second } = await server.apply(closed, testContext(ours, wrong), server.state(outputs, closed));
    expect(second).toEqual(outputs);
  });

  test("is left as it is when it is removed", async () => {
    const { outputs } = await server.apply();
    await managementServer.remove(testContext(), server.state(outputs));
    expect((await server.keys()).apikey).toBe(outputs.apiKey);
  });
});

describe("global settings", () => {
  test("a dynamic one that was changed by hand is seen and mended without a restart", async () => {
    const given = { settings: { "ping.timeout": "1.5" } };
    const { outputs } = await server.apply(given);
    const start = await server.start();
    await server.openPort().change("updateConfiguration", { name: "ping.timeout", value: "4" });
    expect(await server.drift(server.state(outputs, given))).toEqual({ settings: { "ping.timeout": "4" } });
    const { phases } = await server.apply(given, testContext(), server.state(outputs, given));
    expect(phases).toContain("setting ping.timeout");
    expect(await server.setting("ping.timeout")).toBe("1.5");
    expect(await server.start()).toBe(start);
  });

  test("two that are read at start only are loaded by one restart", async () => {
    const { outputs } = await server.apply();
    const start = await server.start();
    const given = { settings: { "default.page.size": "600", workers: "11" } };
    const { phases } = await server.apply(given, testContext(), server.state(outputs));
    expect(phases.filter((phase) => phase.startsWith("restarting"))).toHaveLength(1);
    expect(await server.start()).not.toBe(start);
    // The loaded value, not the stored one, decides.
    expect(await server.openPort().read("listZones", { page: "1", pagesize: "600" })).toEqual({});
    const { phases: later } = await server.apply(given, testContext(), server.state(outputs, given));
    expect(later.filter((phase) => phase.startsWith("restarting"))).toEqual([]);
  });

  test("a run that failed between the change and the restart leaves the restart to the next one", async () => {
    const given = { settings: { "default.page.size": "600" } };
    const broken = { ...given, service: { ...server.inputs.service, restart: ["sh", "-c", "echo no such unit >&2; exit 5"] } };
    const error = await failure(server.apply(broken));
    expect(error).toMatchObject({ kind: "refused", code: "exit-5" });
    expect(error.message).toContain("no such unit");
    expect(await server.setting("default.page.size")).toBe("600");
    const { phases } = await server.apply(given);
    expect(phases.filter((phase) => phase.startsWith("restarting"))).toHaveLength(1);
    expect(await server.openPort().read("listZones", { page: "1", pagesize: "600" })).toEqual({});
  });

  test("a restart by somebody else in between is enough", async () => {
    const given = { settings: { "default.page.size": "600" } };
    await failure(server.apply({ ...given, service: { ...server.inputs.service, restart: ["false"] } }));
    await server.guest.systemctl("restart");
    const { phases } = await server.apply(given);
    expect(phases.filter((phase) => phase.startsWith("restarting"))).toEqual([]);
  });

  test.each([
    ["a name that the release does not know", { "no.such.setting": "1" }, "unknown-setting", /setting no\.such\.setting/],
    ["a value of the wrong type", { "expunge.delay": "soon" }, "431/4350", /Value \[soon\] is not a valid/],
    ["a value that is refused as a whole", { "secstorage.allowed.internal.sites": "10.0.0.0/99" }, "530/4250", /Invalid CIDR/],
  ])("%s is an error that shows it", async (_, settings, code, text) => {
    const error = await failure(server.apply({ settings: settings as unknown as Record<string, string> }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });
});
