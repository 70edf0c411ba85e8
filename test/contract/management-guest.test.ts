// A machine of the lab whose role is management-server: what answers there lives and dies with the machine and with its installation.

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { host } from "../../providers/baremetal/index.ts";
import type { HostInputs, HostOutputs } from "../../providers/baremetal/machine.ts";
import { CloudStackClient } from "../../providers/cloudstack/client.ts";
import { managementServer } from "../../providers/cloudstack/index.ts";
import type { ManagementServerInputs } from "../../providers/cloudstack/management-server.ts";
import { endInstall } from "../../providers/cobbler/index.ts";
import { closeSharedSsh, sshExec } from "../../providers/transport/ssh.ts";
import { apply, failure, labCredentials, testContext } from "../support/context.ts";
import { fault, switchPower } from "../support/lab.ts";
import { LightHost } from "../support/light-host.ts";

const machine = new LightHost("h13");
const given = machine.inputs as HostInputs;
const openPort = () => new CloudStackClient(testContext(), { address: given.address, port: 8096 }, { kind: "open" });

beforeAll(async () => {
  await fault("h13", "clear");
  await machine.prepare();
});

afterAll(async () => {
  await fault("h13", "clear");
  await switchPower("h13", "off");
  await endInstall(testContext(), given.cobbler, given.system);
  await machine.remove();
  await closeSharedSsh();
});

async function installed(generation: string): Promise<HostOutputs> {
  return (await apply(host, { ...given, generation })).outputs;
}

function run(hostKey: string, ...command: string[]) {
  return sshExec({ address: given.address, user: "root", privateKey: labCredentials.hosts?.privateKey ?? "", hostKey }, command);
}

/** What the machine's puppet run does last. */
async function giveRole({ hostKey }: HostOutputs): Promise<void> {
  expect(await run(hostKey, "sh", "-c", "echo management-server >/etc/testbed-role")).toMatchObject({ status: 0 });
}

function inputsOf(outputs: HostOutputs, settings: Record<string, string> = {}): ManagementServerInputs {
  const { address, name } = given;
  const { tokenFingerprint: installation, hostKey } = outputs;
  // Everything else is as on a real machine: ports, log, restart command.
  const wanted = { name, address, installation, release: "4.20.3.0", ssh: { hostKey }, settings, startSeconds: 30 };
  return managementServer.inputs.parse(wanted) as unknown as ManagementServerInputs;
}

test("before its role it refuses every port, and has no such service; with it, it is a management server", async () => {
  const outputs = await installed("1");
  expect(await run(outputs.hostKey, "systemctl", "restart", "cloudstack-management")).toMatchObject({ status: 4 });
  expect((await failure(openPort().once("listCapabilities"))).message).toContain("ECONNREFUSED");
  await giveRole(outputs);
  const { outputs: server } = await apply(managementServer, inputsOf(outputs));
  expect(server.seenRelease).toBe("4.20.3.0");
});

test("a setting that needs it restarts the service of the machine", async () => {
  const outputs = await installed("1");
  const { phases } = await apply(managementServer, inputsOf(outputs, { "default.page.size": "600" }));
  expect(phases).toContain("restarting the service, for settings that are read at start only");
  expect(await openPort().read("listZones", { page: "1", pagesize: "600" })).toEqual({});
});

test("one that never comes up is reported with the log that lies on the machine", async () => {
  const outputs = await installed("1");
  await fault("h13", "cloud-never-up");
  await run(outputs.hostKey, "systemctl", "restart", "cloudstack-management");
  const error = await failure(apply(managementServer, { ...inputsOf(outputs), startSeconds: 2 }));
  expect(error.message).toContain("last lines of /var/log/cloudstack/management/management-server.log:");
  expect(error.message).toContain("Unable to get a connection to the database cloud");
  await fault("h13", "clear");
  await apply(managementServer, inputsOf(outputs));
});

test("a killed machine is down, and the same cloud when it comes back", async () => {
  const outputs = await installed("1");
  const { outputs: before } = await apply(managementServer, inputsOf(outputs));
  await switchPower("h13", "off");
  expect((await failure(openPort().once("listCapabilities"))).kind).toBe("unreachable");
  await switchPower("h13", "on");
  const { outputs: after } = await apply(managementServer, inputsOf(outputs));
  expect(after).toEqual(before);
});

test("a machine that was installed anew is an empty cloud", async () => {
  const first = await installed("1");
  const { outputs: before } = await apply(managementServer, inputsOf(first));
  const second = await installed("2");
  await giveRole(second);
  const { outputs: after } = await apply(managementServer, inputsOf(second));
  expect(after.userId).not.toBe(before.userId);
  expect(after.secretKey).not.toBe(before.secretKey);
});
