// cloudstack:ManagementServer against the lab's emulator: servers that are not as wanted, and what the operator is told.

import { expect, test } from "@jest/globals";
import { managementServer } from "../../providers/cloudstack/index.ts";
import { redact } from "../../providers/kernel/index.ts";
import { failure, labCredentials, ours, testContext } from "../support/context.ts";
import { TestServer } from "../support/management-server.ts";

const server = TestServer.forEachTest();

test("another release than the one under test is refused before keys are made", async () => {
  const error = await failure(server.apply({ release: "4.19" }));
  expect(error).toMatchObject({ kind: "conflict", code: "release" });
  expect(error.message).toContain("expected 4.19, the release under test, but 4.20.3.0 runs");
  expect((await server.keys()).apikey).toBeUndefined();
});

test("one that never comes up is given up at the limit, with its own last log lines", async () => {
  await server.guest.fault("cloud-never-up");
  await server.guest.systemctl("restart");
  const error = await failure(server.apply({ startSeconds: 2 }));
  expect(error).toMatchObject({ kind: "timeout", code: "not-up" });
  expect(error.message).toMatch(
    new RegExp(`waited \\d s for the API \\(port ${server.inputs.ports.open}\\) to answer; last seen: .*ECONNREFUSED`),
  );
  expect(error.message).toContain("ERROR [c.c.u.d.TransactionLegacy] (main:[]) (logid:) Unable to get a connection to the database cloud");
});

test.each([
  ["the database", "cloud-no-database", "database"],
  ["the open port", "cloud-no-open-port", "open"],
  ["the API's port", "cloud-no-api", "api"],
] as const)("%s missing alone is named", async (_, fault, port) => {
  await server.guest.until(8080, "open");
  await server.guest.fault(fault);
  const error = await failure(server.apply({ startSeconds: 2 }));
  expect(error).toMatchObject({ kind: "timeout", code: "not-up", object: `port ${server.inputs.ports[port]}` });
  expect(error.message).toContain(`last lines of ${server.inputs.service.log}`);
});

test("a machine without SSH is named, and that its log cannot be read", async () => {
  // The driver's SSH server does not listen there.
  const error = await failure(server.apply({ address: "127.0.0.2", startSeconds: 1 }));
  expect(error).toMatchObject({ kind: "timeout", object: "port 22" });
  expect(error.message).toContain("its log cannot be read");
});

test("503 for ever is given up at the limit", async () => {
  await server.guest.until(8096, "open");
  await server.guest.fault("cloud-5xx");
  const error = await failure(server.apply({ startSeconds: 2 }));
  expect(error.kind).toBe("timeout");
  expect(error.message).toContain("last seen: listCapabilities on CloudStack");
  expect(error.message).toContain("HTTP 503 without an API reply");
});

test("a wrong password is refused at once", async () => {
  const credentials = { ...labCredentials, cloudstack: { user: "admin", password: "not-the-password" } };
  const closed = { ports: { ...server.inputs.ports, open: 0 } };
  const error = await failure(server.apply(closed, testContext(ours, credentials)));
  expect(error).toMatchObject({ kind: "refused", code: "531", object: "login of admin" });
  expect(error.message).not.toContain("not-the-password");
});

test("another machine at the address is not talked to", async () => {
  const other = { ...server.inputs.ssh, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMC6Q1jnBrAwGMMn/LfQ47OA62GQ7EWOOTUKdtsAm1py" };
  const error = await failure(server.apply({ ssh: other }));
  expect(error).toMatchObject({ kind: "conflict", code: "host-key" });
  await server.guest.until(8096, "open");
  expect((await server.keys()).apikey).toBeUndefined();
});

test("keys that somebody replaced show as drift, and the new ones are taken", async () => {
  const { outputs } = await server.apply();
  const made = (await server.openPort().change("registerUserKeys", { id: outputs.userId })).userkeys as { apikey: string };
  expect(await server.drift(server.state(outputs))).toEqual({ installation: "refuses our keys" });
  const { outputs: second } = await server.apply({}, testContext(), server.state(outputs));
  expect(second.apiKey).toBe(made.apikey);
});

test("a server that is off keeps what was seen last, with a warning", async () => {
  const { outputs } = await server.apply();
  await server.guest.off();
  const context = { ...testContext(), operation: "read" as const };
  const seen = await managementServer.observe(context, server.inputs, server.state(outputs));
  expect(seen).toEqual({ inputs: {}, outputs });
  expect(context.phases[0]).toMatch(/^warning: cannot be looked at .*ECONN(REFUSED|RESET)/);
});

test("no key is in a phase or in an error", async () => {
  const given = { settings: { "expunge.delay": "soon" } };
  const context = testContext();
  const error = await failure(server.apply(given, context));
  const { apikey = "", secretkey = "" } = await server.keys();
  expect(apikey).not.toBe("");
  for (const text of [error.message, ...context.phases]) for (const secret of [apikey, secretkey]) expect(text).not.toContain(secret);
});

test("of a server that was known before only its keys are kept out of what is shown", async () => {
  const { outputs } = await server.apply();
  await server.drift(server.state(outputs));
  const { name, address, release } = server.inputs;
  expect(redact(`${name} ${address} ${release} ${outputs.apiKey} ${outputs.secretKey}`)).toBe(
    `${name} ${address} ${release} [secret] [secret]`,
  );
});
