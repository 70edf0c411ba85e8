// cloudstack:ManagementServer against the lab's emulator: the "machine" is the driver, whose ports a forwarder serves as a guest does.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { CloudStackClient, type Keys } from "../../providers/cloudstack/client.ts";
import { managementServer } from "../../providers/cloudstack/index.ts";
import type { ManagementServerInputs, ManagementServerOutputs } from "../../providers/cloudstack/management-server.ts";
import { serverStart as startOf } from "../../providers/cloudstack/startup.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { CloudGuest } from "../support/cloud-guest.ts";
import { apply, failure, labCredentials, ours, type TestContext, testContext } from "../support/context.ts";
import { freePorts } from "../support/free-ports.ts";

const DRIVER = "10.91.0.1";
const relay = { host: DRIVER, port: 7901 };
const hostKey = readFileSync(join(import.meta.dirname, "../../lab/keys/driver_host_ed25519.pub"), "utf8").trim();
const folder = mkdtempSync(join(tmpdir(), "management-server-"));

let number = 0;
let guest: CloudGuest;
let inputs: ManagementServerInputs;
const guests: CloudGuest[] = [];

/** A freshly installed machine, switched on. */
beforeEach(async () => {
  const [api = 0, open = 0, database = 0] = await freePorts(3);
  const name = `contract-${process.pid}-${number++}`;
  const log = join(folder, `${name}.log`);
  guest = new CloudGuest(relay, `token-${name}`, name, { 8080: api, 8096: open, 3306: database }, log);
  guests.push(guest);
  guest.on();
  const systemctl = `exec 3<>/dev/tcp/${relay.host}/${relay.port}; echo "token-${name} ${name} systemctl restart" >&3; cat <&3`;
  inputs = managementServer.inputs.parse({
    name,
    address: DRIVER,
    installation: "0123456789abcdef",
    release: "4.20.3.0",
    ssh: { hostKey, credential: "driver" },
    service: { restart: ["bash", "-c", systemctl], log },
    ports: { api, open, database },
    startSeconds: 30,
  }) as unknown as ManagementServerInputs;
});

afterAll(async () => {
  for (const one of guests) {
    await one.fault("clear");
    await one.off();
  }
  await closeSharedSsh();
  rmSync(folder, { recursive: true });
});

type State = ManagementServerInputs & ManagementServerOutputs;

const stateOf = (outputs: ManagementServerOutputs, given = inputs): State => ({ ...given, ...outputs });
const again = (given: ManagementServerInputs, previous: State, context?: TestContext) => apply(managementServer, given, context, previous);
const drift = async (previous: State, context = testContext()) => (await managementServer.observe(context, previous, previous))?.inputs;

const openPort = () => new CloudStackClient(testContext(), { address: DRIVER, port: inputs.ports.open }, { kind: "open" });
const signed = (keys: Keys) =>
  new CloudStackClient(
    testContext(),
    { address: DRIVER, port: inputs.ports.api },
    { kind: "signed", apiKey: keys.apiKey, secretKey: keys.secretKey },
  );

async function administrator(): Promise<string> {
  const [user] = await openPort().list<{ id: string }>("listUsers", "user", { account: "admin" });
  return user?.id ?? "";
}

async function keysOnServer(): Promise<{ apikey?: string; secretkey?: string }> {
  return ((await openPort().read("getUserKeys", { id: await administrator() })).userkeys ?? {}) as { apikey?: string };
}

async function settingValue(name: string): Promise<string | undefined> {
  return (await openPort().list<{ value?: string }>("listConfigurations", "configuration", { name }))[0]?.value;
}

const serverStart = () => startOf(openPort());

describe("a management server that comes up", () => {
  test("is waited for in the order in which it starts, and its keys work", async () => {
    const { outputs, phases } = await apply(managementServer, inputs);
    const { api, open, database } = inputs.ports;
    expect(phases).toEqual([
      "waiting for SSH (port 22) to answer",
      `waiting for the database (port ${database}) to greet`,
      `waiting for the API (port ${open}) to answer`,
      `waiting for the API (port ${api}) to answer`,
    ]);
    expect(outputs).toMatchObject({ seenRelease: "4.20.3.0", url: `http://${DRIVER}:${api}/client/api`, userId: await administrator() });
    expect(await signed(outputs).list("listUsers", "user")).toHaveLength(1);
  });

  test("applied again keeps the keys and changes nothing", async () => {
    const given = { ...inputs, settings: { "expunge.delay": "20" } };
    const { outputs } = await apply(managementServer, given);
    const start = await serverStart();
    const { outputs: second, phases } = await again(given, stateOf(outputs, given));
    expect(second).toEqual(outputs);
    expect(phases.filter((phase) => !phase.startsWith("waiting"))).toEqual([]);
    expect(await serverStart()).toBe(start);
  });

  test("shows no drift right after it was made", async () => {
    const given = { ...inputs, settings: { "expunge.delay": "60", "ping.timeout": "1.5" } };
    const { outputs } = await apply(managementServer, given);
    expect(await drift(stateOf(outputs, given))).toEqual({ settings: given.settings });
  });

  test("keys that exist already are taken, not replaced", async () => {
    await guest.until(8096, "open");
    const made = (await openPort().change("registerUserKeys", { id: await administrator() })).userkeys as {
      apikey: string;
      secretkey: string;
    };
    const { outputs } = await apply(managementServer, inputs);
    expect([outputs.apiKey, outputs.secretKey]).toEqual([made.apikey, made.secretkey]);
  });

  test("answers of 503 are waited out", async () => {
    await guest.fault("cloud-5xx", "3");
    const { outputs } = await apply(managementServer, inputs);
    expect(await signed(outputs).list("listUsers", "user")).toHaveLength(1);
  });

  test("a restart in the middle is waited out", async () => {
    await guest.fault("cloud-restarts");
    const { outputs } = await apply(managementServer, inputs);
    expect(await signed(outputs).list("listUsers", "user")).toHaveLength(1);
  });

  test("without an open port the keys are obtained by a login", async () => {
    await guest.fault("cloud-no-open-port");
    const closed = { ...inputs, ports: { ...inputs.ports, open: 0 } };
    const credentials = { ...labCredentials, cloudstack: { user: "admin", password: "password" } };
    const { outputs } = await apply(managementServer, closed, testContext(ours, credentials));
    expect(await signed(outputs).list("listUsers", "user")).toHaveLength(1);
    // Nobody needs to log in a second time: the password may be another one by then.
    const wrong = { ...labCredentials, cloudstack: { user: "admin", password: "changed meanwhile" } };
    const { outputs: second } = await again(closed, stateOf(outputs, closed), testContext(ours, wrong));
    expect(second).toEqual(outputs);
  });

  test("is left as it is when it is removed", async () => {
    const { outputs } = await apply(managementServer, inputs);
    await managementServer.remove(testContext(), stateOf(outputs));
    expect((await keysOnServer()).apikey).toBe(outputs.apiKey);
  });
});

describe("global settings", () => {
  test("a dynamic one that was changed by hand is seen and mended without a restart", async () => {
    const given = { ...inputs, settings: { "ping.timeout": "1.5" } };
    const { outputs } = await apply(managementServer, given);
    const start = await serverStart();
    await openPort().change("updateConfiguration", { name: "ping.timeout", value: "4" });
    expect(await drift(stateOf(outputs, given))).toEqual({ settings: { "ping.timeout": "4" } });
    const { phases } = await again(given, stateOf(outputs, given));
    expect(phases).toContain("setting ping.timeout");
    expect(await settingValue("ping.timeout")).toBe("1.5");
    expect(await serverStart()).toBe(start);
  });

  test("two that are read at start only are loaded by one restart", async () => {
    const { outputs } = await apply(managementServer, inputs);
    const start = await serverStart();
    const given = { ...inputs, settings: { "default.page.size": "600", workers: "11" } };
    const { phases } = await again(given, stateOf(outputs));
    expect(phases.filter((phase) => phase.startsWith("restarting"))).toHaveLength(1);
    expect(await serverStart()).not.toBe(start);
    // The loaded value, not the stored one, decides.
    expect(await openPort().read("listZones", { page: "1", pagesize: "600" })).toEqual({});
    const { phases: later } = await again(given, stateOf(outputs, given));
    expect(later.filter((phase) => phase.startsWith("restarting"))).toEqual([]);
  });

  test("a run that failed between the change and the restart leaves the restart to the next one", async () => {
    const given = { ...inputs, settings: { "default.page.size": "600" } };
    const broken = { ...given, service: { ...given.service, restart: ["sh", "-c", "echo no such unit >&2; exit 5"] } };
    const error = await failure(apply(managementServer, broken));
    expect(error).toMatchObject({ kind: "refused", code: "exit-5" });
    expect(error.message).toContain("no such unit");
    expect(await settingValue("default.page.size")).toBe("600");
    const { phases } = await apply(managementServer, given);
    expect(phases.filter((phase) => phase.startsWith("restarting"))).toHaveLength(1);
    expect(await openPort().read("listZones", { page: "1", pagesize: "600" })).toEqual({});
  });

  test("a restart by somebody else in between is enough", async () => {
    const given = { ...inputs, settings: { "default.page.size": "600" } };
    await failure(apply(managementServer, { ...given, service: { ...given.service, restart: ["false"] } }));
    await guest.systemctl("restart");
    const { phases } = await apply(managementServer, given);
    expect(phases.filter((phase) => phase.startsWith("restarting"))).toEqual([]);
  });

  test.each([
    ["a name that the release does not know", { "no.such.setting": "1" }, "unknown-setting", /setting no\.such\.setting/],
    ["a value of the wrong type", { "expunge.delay": "soon" }, "431/4350", /Value \[soon\] is not a valid/],
    ["a value that is refused as a whole", { "secstorage.allowed.internal.sites": "10.0.0.0/99" }, "530/4250", /Invalid CIDR/],
  ])("%s is an error that shows it", async (_, settings, code, text) => {
    const error = await failure(apply(managementServer, { ...inputs, settings: settings as unknown as Record<string, string> }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });
});

describe("a management server that is not as wanted", () => {
  test("another release than the one under test is refused before keys are made", async () => {
    const error = await failure(apply(managementServer, { ...inputs, release: "4.19" }));
    expect(error).toMatchObject({ kind: "conflict", code: "release" });
    expect(error.message).toContain("expected 4.19, the release under test, but 4.20.3.0 runs");
    expect((await keysOnServer()).apikey).toBeUndefined();
  });

  test("one that never comes up is given up at the limit, with its own last log lines", async () => {
    await guest.fault("cloud-never-up");
    await guest.systemctl("restart");
    const error = await failure(apply(managementServer, { ...inputs, startSeconds: 2 }));
    expect(error).toMatchObject({ kind: "timeout", code: "not-up" });
    expect(error.message).toMatch(
      new RegExp(`waited \\d s for the API \\(port ${inputs.ports.open}\\) to answer; last seen: .*ECONNREFUSED`),
    );
    expect(error.message).toContain(
      "ERROR [c.c.u.d.TransactionLegacy] (main:[]) (logid:) Unable to get a connection to the database cloud",
    );
  });

  test.each([
    ["the database", "cloud-no-database", "database"],
    ["the open port", "cloud-no-open-port", "open"],
    ["the API's port", "cloud-no-api", "api"],
  ] as const)("%s missing alone is named", async (_, fault, port) => {
    await guest.until(8080, "open");
    await guest.fault(fault);
    const error = await failure(apply(managementServer, { ...inputs, startSeconds: 2 }));
    expect(error).toMatchObject({ kind: "timeout", code: "not-up", object: `port ${inputs.ports[port]}` });
    expect(error.message).toContain(`last lines of ${inputs.service.log}`);
  });

  test("a machine without SSH is named, and that its log cannot be read", async () => {
    // The driver's SSH server does not listen there.
    const error = await failure(apply(managementServer, { ...inputs, address: "127.0.0.2", startSeconds: 1 }));
    expect(error).toMatchObject({ kind: "timeout", object: "port 22" });
    expect(error.message).toContain("its log cannot be read");
  });

  test("503 for ever is given up at the limit", async () => {
    await guest.until(8096, "open");
    await guest.fault("cloud-5xx");
    const error = await failure(apply(managementServer, { ...inputs, startSeconds: 2 }));
    expect(error.kind).toBe("timeout");
    expect(error.message).toContain("last seen: listCapabilities on CloudStack");
    expect(error.message).toContain("HTTP 503 without an API reply");
  });

  test("a wrong password is refused at once", async () => {
    const credentials = { ...labCredentials, cloudstack: { user: "admin", password: "not-the-password" } };
    const closed = { ...inputs, ports: { ...inputs.ports, open: 0 } };
    const error = await failure(apply(managementServer, closed, testContext(ours, credentials)));
    expect(error).toMatchObject({ kind: "refused", code: "531", object: "login of admin" });
    expect(error.message).not.toContain("not-the-password");
  });

  test("another machine at the address is not talked to", async () => {
    const other = { ...inputs.ssh, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMC6Q1jnBrAwGMMn/LfQ47OA62GQ7EWOOTUKdtsAm1py" };
    const error = await failure(apply(managementServer, { ...inputs, ssh: other }));
    expect(error).toMatchObject({ kind: "conflict", code: "host-key" });
    await guest.until(8096, "open");
    expect((await keysOnServer()).apikey).toBeUndefined();
  });

  test("keys that somebody replaced show as drift, and the new ones are taken", async () => {
    const { outputs } = await apply(managementServer, inputs);
    const made = (await openPort().change("registerUserKeys", { id: outputs.userId })).userkeys as { apikey: string };
    expect(await drift(stateOf(outputs))).toEqual({ installation: "refuses our keys" });
    const { outputs: second } = await again(inputs, stateOf(outputs));
    expect(second.apiKey).toBe(made.apikey);
  });

  test("a server that is off keeps what was seen last, with a warning", async () => {
    const { outputs } = await apply(managementServer, inputs);
    await guest.off();
    const context = { ...testContext(), operation: "read" as const };
    const seen = await managementServer.observe(context, inputs, stateOf(outputs));
    expect(seen).toEqual({ inputs: {}, outputs });
    expect(context.phases[0]).toMatch(/^warning: cannot be looked at .*ECONN(REFUSED|RESET)/);
  });

  test("no key is in a phase or in an error", async () => {
    const given = { ...inputs, settings: { "expunge.delay": "soon" } };
    const context = testContext();
    const error = await failure(apply(managementServer, given, context));
    const { apikey = "", secretkey = "" } = await keysOnServer();
    expect(apikey).not.toBe("");
    for (const text of [error.message, ...context.phases]) for (const secret of [apikey, secretkey]) expect(text).not.toContain(secret);
  });
});
