// The simulator site: its four configurations on an emulated management server that runs already, on loopback, with the real engine.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Project } from "../support/project.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = new TestCloud(0.02);
beforeAll(() => cloud.start());
afterAll(() => cloud.stop());

interface Row {
  name: string;
  id: string;
}

type Zone = Row & { hosts: string[]; pools: string[] };

const zonesThere = () => cloud.client.list<Row>("listZones", "zone");

describe.each([
  ["advanced", 1],
  ["basic", 1],
  ["advancedsg", 1],
  ["advdualzone", 2],
])("the configuration %s", (name, zones) => {
  let project: Project;
  let settings: string;

  const settingValues = async () =>
    JSON.stringify(
      (await cloud.client.list<{ name: string; value?: string }>("listConfigurations", "configuration")).map((one) => [
        one.name,
        one.value,
      ]),
    );

  beforeAll(async () => {
    project = new Project({ stack: `simulator-${name}` });
    const { ports } = cloud.server;
    project.edit("environments/simulator/inventory.yaml", (text) =>
      text.replace("{ api: 8080, open: 8096 }", `{ api: ${ports.api}, open: ${ports.open} }`),
    );
    settings = await settingValues();
    await project.init();
  });

  afterAll(() => project.remove());

  async function outputs(): Promise<{ api: string; zones: Zone[]; health: string }> {
    const { output } = await project.pulumi("stack", "output", "--stack", project.stack, "--json");
    return JSON.parse(output.slice(output.indexOf("{")));
  }

  test("up makes a healthy cloud of it, and tells of its zones", async () => {
    const { status, output } = await project.up();
    expect([status, status === 0 || output]).toEqual([0, true]);
    const seen = await outputs();
    expect(seen.api).toBe(`http://127.0.0.1:${cloud.server.ports.api}/client/api`);
    const there = await zonesThere();
    expect(there).toHaveLength(zones);
    expect(seen.zones.map(({ name: zone, id }) => [zone, id]).sort()).toEqual(there.map(({ name: zone, id }) => [zone, id]).sort());
    for (const [kind, command, key] of [
      ["hosts", "listHosts", "host"],
      ["pools", "listStoragePools", "storagepool"],
    ] as const) {
      const ids = (await cloud.client.list<Row>(command, key, kind === "hosts" ? { type: "Routing" } : {})).map((one) => one.id);
      expect(seen.zones.flatMap((zone) => zone[kind]).sort()).toEqual(ids.sort());
    }
    for (const zone of there) expect(seen.health).toMatch(new RegExp(`zone ${zone.name}: \\d hosts up, \\d pools up`));
  });

  if (name === "advanced")
    test("the gate alone is asked by testbed health: 0 when healthy, 3 with verdict and remedy when red; up mends it", async () => {
      const healthy = await project.testbed("health", "--json");
      expect([healthy.status, JSON.parse(healthy.output).healthy]).toEqual([0, true]);
      const [zone] = await zonesThere();
      await cloud.client.change("updateZone", { id: zone?.id ?? "", allocationstate: "Disabled" });
      const red = await project.testbed("health");
      expect(red.status).toBe(3);
      expect(red.output).toMatch(
        /zone Sandbox-simulator: red\n {2}the zone is Disabled\n {4}remedy: `pulumi up --refresh` enables it again/,
      );
      const { status, output } = await project.up("--refresh");
      expect([status, status === 0 || output]).toEqual([0, true]);
      expect((await project.testbed("health")).status).toBe(0);
    });

  test("a second up does nothing at all", async () => {
    const before = project.journal().length;
    const { status, output } = await project.up();
    expect(status).toBe(0);
    expect(output).not.toMatch(/created|updated|deleted|replaced/);
    expect(project.journal()).toHaveLength(before);
  });

  test("destroy leaves an empty cloud and the settings of before", async () => {
    const { status, output } = await project.destroy();
    expect([status, status === 0 || output]).toEqual([0, true]);
    expect(await zonesThere()).toEqual([]);
    for (const [command, key] of [
      ["listHosts", "host"],
      ["listStoragePools", "storagepool"],
      ["listImageStores", "imagestore"],
      ["listPods", "pod"],
      ["listSystemVms", "systemvm"],
    ] as const)
      expect([command, await cloud.client.list(command, key)]).toEqual([command, []]);
    expect(await settingValues()).toBe(settings);
  });
});
