// A management server through the real engine: what the state and the outputs show of its keys, and that nothing is left to do.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CloudStackClient } from "../../providers/cloudstack/client.ts";
import { CloudGuest } from "../support/cloud-guest.ts";
import { testContext } from "../support/context.ts";
import { freePorts } from "../support/free-ports.ts";
import { Project } from "../support/project.ts";

const DRIVER = "10.91.0.1";
const hostKey = readFileSync(join(import.meta.dirname, "../../lab/keys/driver_host_ed25519.pub"), "utf8").trim();

const project = new Project();
let guest: CloudGuest;
let openPort = 0;

beforeAll(async () => {
  const [api = 0, open = 0, database = 0] = await freePorts(3);
  openPort = open;
  const name = `state-${process.pid}`;
  guest = new CloudGuest({ host: DRIVER, port: 7901 }, `token-${name}`, name, { 8080: api, 8096: open, 3306: database });
  guest.on();
  const inputs = {
    name,
    address: DRIVER,
    installation: "1",
    release: "4.20",
    ssh: { hostKey, credential: "driver" },
    ports: { api, open, database },
  };
  const program = [
    'import { managementServer } from "./providers/cloudstack/index.ts";',
    'import { TestbedResource } from "./providers/kernel/resource.ts";',
    `const server = new TestbedResource(managementServer, "server", { ...${JSON.stringify(inputs)}, settings: { "ping.timeout": "1.5" } });`,
    'export const secretKey = server.output("secretKey");',
    'export const release = server.output("seenRelease");',
  ];
  writeFileSync(join(project.folder, "index.ts"), program.join("\n"));
  const manifest = join(project.folder, "package.json");
  const text = readFileSync(manifest, "utf8");
  rmSync(manifest); // a link to that of the checkout
  writeFileSync(manifest, text.replace("stacks/index.ts", "index.ts"));
  await project.init();
});

afterAll(async () => {
  await guest.off();
  rmSync(project.folder, { recursive: true });
});

async function keys(): Promise<string[]> {
  const client = new CloudStackClient(testContext(), { address: DRIVER, port: openPort }, { kind: "open" });
  const [user] = await client.list<{ id: string }>("listUsers", "user", { account: "admin" });
  const { userkeys } = await client.read("getUserKeys", { id: user?.id ?? "" });
  const { apikey, secretkey } = userkeys as { apikey: string; secretkey: string };
  return [apikey, secretkey];
}

test("its keys are encrypted in the state, hidden in outputs and in what the engine prints", async () => {
  const up = await project.up();
  expect(up).toMatchObject({ status: 0 });
  const state = await project.pulumi("stack", "export", "--stack", project.stack);
  const outputs = await project.pulumi("stack", "output", "--stack", project.stack);
  expect(outputs.output).toMatch(/release +4\.20\.3\.0/);
  expect(outputs.output).toMatch(/secretKey +\[secret\]/);
  for (const key of await keys())
    for (const text of [up.output, state.output, outputs.output, JSON.stringify(project.journal())]) expect(text).not.toContain(key);
  const shown = await project.pulumi("stack", "output", "--stack", project.stack, "--show-secrets", "secretKey");
  expect(await keys()).toContain(shown.output.trim());
});

test("a second run and a refresh find nothing to do", async () => {
  expect(await project.up("--expect-no-changes")).toMatchObject({ status: 0 });
  expect(await project.refresh("--expect-no-changes")).toMatchObject({ status: 0 });
});

test("a setting changed by hand is mended after a refresh", async () => {
  const client = new CloudStackClient(testContext(), { address: DRIVER, port: openPort }, { kind: "open" });
  await client.change("updateConfiguration", { name: "ping.timeout", value: "9" });
  const refreshed = await project.refresh();
  expect(refreshed.output).toMatch(/~ 1 (to )?update/);
  await project.up();
  const [setting] = await client.list<{ value: string }>("listConfigurations", "configuration", { name: "ping.timeout" });
  expect(setting?.value).toBe("1.5");
});
