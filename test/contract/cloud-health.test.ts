// cloudstack:Health against the emulator: what it waits for, what it is red for, and how soon.

import { beforeAll, describe, expect, test } from "@jest/globals";
import type { HealthInputs } from "../../providers/cloudstack/health.ts";
import { health, host, storagePool, zoneEnablement } from "../../providers/cloudstack/index.ts";
import { type CloudPart, cloudParts, deploy } from "../support/cloud-objects.ts";
import { failure, testContext } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();
const parts = cloudParts("z0", 0, 2);
const ids = new Map<unknown, string[]>();

const idsOf = (definition: unknown) => ids.get(definition) ?? [];
const EVERY = 0.1;

function gate(change: Partial<HealthInputs> = {}): Partial<HealthInputs> {
  return {
    zones: [{ name: "z0", hosts: idsOf(host), pools: idsOf(storagePool) }],
    everySeconds: EVERY,
    timeoutSeconds: 30,
    ...change,
  };
}

const ask = (change: Partial<HealthInputs> = {}, context = testContext()) => cloud.up(health, gate(change), undefined, context);

beforeAll(async () => {
  const states = await deploy(cloud, parts);
  for (const [{ definition }, state] of states as Map<CloudPart, { id: string }>) ids.set(definition, [...idsOf(definition), state.id]);
  await ask();
});

/** What stands in the reply of a list command from now on. */
function rewrite(command: string, key: string, change: (rows: Record<string, unknown>[]) => Record<string, unknown>[]): void {
  cloud.proxy.rewrite(command, (text) => {
    const [[name, reply]] = Object.entries(JSON.parse(text)) as [[string, Record<string, unknown>]];
    const rows = change((reply[key] ?? []) as Record<string, unknown>[]);
    return JSON.stringify({ [name]: rows.length > 0 ? { count: rows.length, [key]: rows } : {} });
  });
}

const all = (fields: Record<string, unknown>) => (rows: Record<string, unknown>[]) => rows.map((one) => ({ ...one, ...fields }));

describe("the gate", () => {
  test("is green with a line for each zone, without changing anything", async () => {
    const { summary } = await ask();
    expect(summary).toMatch(/^zone z0: 2 hosts up, 1 pools up, .*running$/);
    expect(cloud.proxy.changes).toEqual([]);
  });

  test("does not count: one more system VM is no fault", async () => {
    rewrite("listSystemVms", "systemvm", (rows) => [...rows, { ...rows[1], id: "third", name: "s-9-VM" }]);
    expect((await ask()).summary).toContain("s-9-VM");
  });

  test("waits for hosts that are only disconnected, as after a restart", async () => {
    rewrite("listHosts", "host", all({ state: "Disconnected" }));
    const context = testContext();
    const asked = ask({}, context);
    await new Promise((resolve) => setTimeout(resolve, EVERY * 1000 * 5));
    cloud.proxy.clear();
    expect((await asked).summary).toContain("2 hosts up");
    expect(context.phases.join()).toMatch(/waiting: zone z0: host .* is Disconnected \(for \d+ s\)/);
  });

  test("takes the newest host row of a storage VM whose own field tells of an old one", async () => {
    rewrite("listSystemVms", "systemvm", all({ agentstate: "Disconnected" }));
    rewrite("listHosts", "host", (rows) =>
      rows.length > 0 && rows[0]?.type !== "SecondaryStorageVM"
        ? rows
        : rows.flatMap((one) => [one, { ...one, id: "old", state: "Disconnected", created: "2000-01-01T00:00:00+0000" }]),
    );
    expect((await ask()).summary).toContain("2 hosts up");
  });
});

/** Seconds until it is red. */
async function red(change: Partial<HealthInputs> = {}): Promise<{ message: string; code: string | undefined; looks: number }> {
  const { message, code } = await failure(ask(change));
  return { message, code, looks: cloud.proxy.commands.filter((one) => one === "listZones").length };
}

describe("the gate is red at the second look", () => {
  test.each([
    ["a host in Alert", "listHosts", "host", all({ state: "Alert" }), /host SimulatedAgent\.\S+ \(172\.16\.0\.\d+\) is Alert/],
    ["a host that is down", "listHosts", "host", all({ state: "Down" }), /is Down/],
    ["a host in maintenance", "listHosts", "host", all({ resourcestate: "Maintenance" }), /is in resource state Maintenance/],
    ["a host that is gone", "listHosts", "host", (rows: Record<string, unknown>[]) => rows.slice(1), /host \S+ is gone/],
    [
      "a pool in error",
      "listStoragePools",
      "storagepool",
      all({ state: "ErrorInMaintenance" }),
      /storage pool z0-ps0 is ErrorInMaintenance/,
    ],
    ["a pool that is gone", "listStoragePools", "storagepool", () => [], /storage pool \S+ is gone/],
    ["a zone that is off", "listZones", "zone", all({ allocationstate: "Disabled" }), /the zone is Disabled/],
    ["no zone of this name", "listZones", "zone", all({ name: "another" }), /the zone does not exist/],
    [
      "a template whose download failed",
      "listTemplates",
      "template",
      all({ isready: false, status: "Connection refused", downloaddetails: [{ downloadState: "DOWNLOAD_ERROR" }] }),
      /no built-in template is ready \(.*Connection refused/,
    ],
  ])("for %s", async (_, command, key, change, text) => {
    rewrite(command, key, change);
    const seen = await red();
    expect(seen).toMatchObject({ code: "unhealthy", looks: 2 });
    expect(seen.message).toMatch(text);
    expect(seen.message).toMatch(/zone z0: .*\(for \d+ s\)/);
  });

  test("for a system VM that fails to start again and again, with the server's own text", async () => {
    rewrite("listSystemVms", "systemvm", () => []);
    let asked = 0;
    const description = "Secondary Storage Vm creation failure in zone [z0]. Error details: null";
    rewrite("listAlerts", "alert", (rows) => {
      asked++;
      const failures = Array.from({ length: asked }, (_, n) => ({ id: `a${n}`, type: 19, description, sent: "2026-11-24T04:00:11+0000" }));
      return [...failures, ...rows];
    });
    const seen = await red();
    expect(seen).toMatchObject({ code: "unhealthy", looks: 3 });
    expect(seen.message).toContain(`a system VM failed to start 2 times: ${description}`);
  });
});

describe("the gate at its limit says what is missing, and for how long", () => {
  test.each([
    [
      "no system VM",
      "listSystemVms",
      "systemvm",
      () => [],
      /no console proxy is Running \(seen: none\).*no secondary storage VM is Running/,
    ],
    ["a system VM that starts", "listSystemVms", "systemvm", all({ state: "Starting" }), /seen: v-\d+-VM Starting/],
    ["a host that connects", "listHosts", "host", all({ state: "Connecting" }), /host \S+ \(\S+\) is Connecting/],
    ["a template that is fetched", "listTemplates", "template", all({ isready: false, status: "12% Downloaded" }), /12% Downloaded/],
    ["no built-in template", "listTemplates", "template", () => [], /none is known/],
    ["one failed start of a system VM", "listSystemVms", "systemvm", all({ state: "Stopped" }), /Stopped/],
  ])("%s", async (_, command, key, change, text) => {
    rewrite(command, key, change);
    const seen = await red({ timeoutSeconds: 1 });
    expect(seen.message).toMatch(/waited 1 s for the cloud to be healthy; last seen: zone z0: /);
    expect(seen.message).toMatch(text);
    expect(seen.message).toMatch(/\(for 1 s\)/);
  });
});

describe("what a refresh shows of the gate", () => {
  test("is nothing on a healthy cloud", async () => {
    expect(await cloud.refresh(health, await ask())).toEqual({});
  });

  test("is a difference once something is wrong, so that the next `up` asks again", async () => {
    const state = await ask();
    cloud.alert(idsOf(host)[0] ?? "");
    expect((await cloud.refresh(health, state))?.plan).toMatch(/^unhealthy: zone z0: host .* is Alert/);
  });

  test("is a zone that was switched off", async () => {
    const state = await ask();
    const zoneState = { ...zoneEnablement.inputs.parse({ server: cloud.server, zone: "z0" }), id: idsOf(zoneEnablement)[0] ?? "" };
    await cloud.client.change("updateZone", { id: zoneState.id, allocationstate: "Disabled" });
    expect((await cloud.refresh(health, state))?.plan).toMatch(/the zone is Disabled/);
    await cloud.up(zoneEnablement, { zone: "z0" });
    expect(await cloud.refresh(health, state)).toEqual({});
  });
});
