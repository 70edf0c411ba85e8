// The cloud in the plan: what holds for any small configuration, and the configuration that the tests get.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { checkMarvin } from "../../../stacks/checks/index.ts";
import type { CloudPlan } from "../../../stacks/cloud-plan.ts";
import { loadInputs } from "../../../stacks/load.ts";
import { marvinSchema } from "../../../stacks/marvin.ts";
import { planCloud } from "../../../stacks/plan-zones.ts";
import { parseBySchema } from "../../../stacks/schema.ts";
import { parseMarvinSource } from "../../../stacks/sources/index.ts";
import { checkout } from "./change.ts";

interface Shape {
  zones: {
    kind: "Advanced" | "SecurityGroups" | "Basic";
    networks: number;
    clusters: { hosts: number; pools: number }[][];
    ranges: number;
    zonePool: boolean;
  }[];
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  zones: fc.array(
    fc.record({
      kind: fc.constantFrom("Advanced" as const, "SecurityGroups" as const, "Basic" as const),
      networks: fc.integer({ min: 1, max: 3 }),
      clusters: fc.array(fc.array(fc.record({ hosts: fc.nat(3), pools: fc.nat(2) }), { maxLength: 2 }), { minLength: 1, maxLength: 3 }),
      ranges: fc.integer({ min: 1, max: 2 }),
      zonePool: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

const range = (prefix: string) => ({ startip: `${prefix}.10`, endip: `${prefix}.99`, netmask: "255.255.255.0", gateway: `${prefix}.1` });

/** A configuration of that shape, as upstream writes them. */
function configuration({ zones }: Shape) {
  return {
    zones: zones.map((zone, z) => ({
      name: `z${z}`,
      networktype: zone.kind === "Basic" ? "Basic" : "Advanced",
      ...(zone.kind === "Advanced" ? { guestcidraddress: "10.1.1.0/24" } : { securitygroupenabled: "true" }),
      dns1: "10.0.0.1",
      internaldns1: "10.0.0.1",
      physical_networks: Array.from({ length: zone.kind === "Basic" ? 1 : zone.networks }, (_, n) => ({
        name: `z${z}-pnet${n}`,
        ...(zone.kind === "Basic" ? {} : { vlan: `${100 + z * 300 + n * 50}-${130 + z * 300 + n * 50}` }),
        traffictypes: [
          { typ: "Guest" },
          ...(n === 0 ? [{ typ: "Management" }, ...(zone.kind === "Advanced" ? [{ typ: "Public" }] : [])] : []),
        ],
        providers: [{ name: "VirtualRouter" }, ...(zone.kind === "Advanced" ? [] : [{ name: "SecurityGroupProvider" }])],
      })),
      ...(zone.kind === "Basic"
        ? {}
        : {
            ipranges: Array.from({ length: zone.kind === "Advanced" ? zone.ranges : 1 }, (_, r) => ({
              ...range(`10.${50 + z}.${r}`),
              vlan: String(60 + 10 * z + r),
            })),
          }),
      pods: zone.clusters.map((clusters, p) => ({
        name: `pod${p}`,
        ...range(`172.${16 + z}.${p}`),
        ...(zone.kind === "Basic" ? { guestIpRanges: [range(`10.${80 + z}.${p}`)] } : {}),
        clusters: clusters.map(({ hosts, pools }, c) => ({
          clustername: `c${c}`,
          hypervisor: "Simulator",
          clustertype: "CloudManaged",
          hosts: Array.from({ length: hosts }, (_, h) => ({
            url: `http://sim/z${z}/p${p}/c${c}/h${h}`,
            username: "root",
            password: "password",
          })),
          primaryStorages: Array.from({ length: pools }, (_, s) => ({ name: `ps${s}`, url: `nfs://10.0.0.5:/z${z}/p${p}/c${c}/s${s}` })),
        })),
      })),
      ...(zone.zonePool
        ? { primaryStorages: [{ name: "wide", url: `nfs://10.0.0.5:/z${z}/wide`, scope: "zone", hypervisor: "Simulator" }] }
        : {}),
      secondaryStorages: [{ url: `nfs://10.0.0.5:/z${z}/secondary`, provider: "NFS" }],
    })),
    mgtSvr: [{ mgtSvrIp: "localhost", port: 8096 }],
  };
}

function read(shape: Shape) {
  const source = parseMarvinSource("m", JSON.stringify(configuration(shape)));
  const { data, found } = parseBySchema(source, marvinSchema, "it");
  if (!data || !found) throw new Error(source.findings[0]?.what);
  return { data, findings: checkMarvin(found, source, data) };
}

function names(cloud: CloudPlan): Record<string, string[]> {
  const pods = cloud.zones.flatMap((zone) => zone.pods);
  const clusters = pods.flatMap((pod) => pod.clusters);
  const networks = cloud.zones.flatMap((zone) => zone.physicalNetworks);
  const list = (all: readonly { name: string }[]) => all.map((one) => one.name);
  return {
    zones: list(cloud.zones),
    networks: list(networks),
    traffic: list(networks.flatMap((one) => one.trafficTypes)),
    providers: list(networks.flatMap((one) => one.providers)),
    ranges: list([...cloud.zones.flatMap((zone) => zone.publicRanges), ...pods.flatMap((pod) => pod.guestRanges)]),
    pods: list(pods),
    clusters: list(clusters),
    hosts: list(clusters.flatMap((cluster) => cluster.hosts)),
    pools: list([...clusters.flatMap((cluster) => cluster.pools), ...cloud.zones.flatMap((zone) => zone.pools)]),
    stores: list(cloud.zones.flatMap((zone) => zone.imageStores)),
  };
}

describe("for any small configuration", () => {
  test("nothing is found wrong with it, and nothing of it goes unread", () => {
    fc.assert(
      fc.property(shapes, (shape) => expect(read(shape).findings.filter((one) => one.code !== "TB131")).toEqual([])),
      { numRuns: 60 },
    );
  });

  test("each object of it is in the plan once, and names are unique by kind", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const all = names(planCloud(read(shape).data));
        for (const [kind, list] of Object.entries(all)) expect([kind, new Set(list).size]).toEqual([kind, list.length]);
        const clusters = shape.zones.flatMap((zone) => zone.clusters.flat());
        const sum = (key: "hosts" | "pools") => clusters.reduce((total, one) => total + one[key], 0);
        expect([all.zones?.length, all.clusters?.length, all.hosts?.length]).toEqual([shape.zones.length, clusters.length, sum("hosts")]);
        expect(all.pools).toHaveLength(sum("pools") + shape.zones.filter((zone) => zone.zonePool).length);
      }),
      { numRuns: 60 },
    );
  });

  test("networks of a zone have a tag each as soon as two of them carry guests, and none otherwise", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        for (const zone of planCloud(read(shape).data).zones) {
          const tags = zone.physicalNetworks.flatMap((one) => one.tag ?? []);
          expect(new Set(tags).size).toBe(zone.physicalNetworks.length > 1 ? zone.physicalNetworks.length : 0);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("guests share a network with addresses, or have public ones beside them", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        planCloud(read(shape).data).zones.forEach((zone, z) => {
          const kind = shape.zones[z]?.kind;
          expect(zone.guestNetwork !== undefined).toBe(kind !== "Advanced");
          expect(zone.publicRanges.length > 0).toBe(kind === "Advanced");
          expect(zone.guestNetwork?.range !== undefined).toBe(kind === "SecurityGroups");
          expect(zone.pods.every((pod) => pod.guestRanges.length > 0)).toBe(kind === "Basic");
        });
      }),
      { numRuns: 60 },
    );
  });

  test("one more pod or zone changes nothing of the others", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const [zone] = shape.zones;
        if (!zone) return;
        const before = planCloud(read(shape).data).zones;
        const more = planCloud(read({ zones: [...shape.zones, zone] }).data).zones;
        expect(more.slice(0, before.length)).toEqual(before);
        const wider = { ...zone, clusters: [...zone.clusters, []] };
        const pods = planCloud(read({ zones: [wider, ...shape.zones.slice(1)] }).data).zones[0]?.pods;
        expect(pods?.slice(0, -1)).toEqual(before[0]?.pods);
      }),
      { numRuns: 40 },
    );
  });
});

describe("the configuration that the tests get", () => {
  test("has addresses for names, the keys by reference, and no secret", () => {
    const { marvin } = loadInputs(checkout, { stack: "kvm" });
    const text = JSON.stringify(marvin);
    expect(marvin).toMatchObject({ mgtSvr: [{ mgtSvrIp: "10.91.0.41", port: 8096 }], dbSvr: { dbSvr: "10.91.0.41" } });
    const [server] = (marvin?.mgtSvr ?? []) as Record<string, string>[];
    expect([server?.apiKey, server?.securityKey, server?.passwd]).toEqual(
      ["cloudstack.apiKey", "cloudstack.secretKey", "hosts.password"].map((name) => `\${${name}}`),
    );
    expect(text).toContain('"url":"http://10.91.0.11"');
    expect(text).toContain("nfs://10.91.0.1/srv/nfs/secondary-z0");
    expect(text).not.toMatch(/mgtSvrName|http:\/\/h1\d|nfs:\/\/driver/);
  });

  test("of a server that runs already names that one, and leaves simulated hosts and their stores alone", () => {
    const { marvin } = loadInputs(checkout, { stack: "simulator-basic" });
    expect(marvin).toMatchObject({ mgtSvr: [{ mgtSvrIp: "127.0.0.1", port: 8096 }] });
    expect(JSON.stringify(marvin)).toContain('"url":"http://sim/c0/h0"');
    expect(JSON.stringify(marvin)).toContain("nfs://nfsstor:/export/home/sandbox/secondary");
  });

  test("is absent while the inputs have faults", () => {
    expect(loadInputs(checkout, { stack: "nobody" }).marvin).toBeUndefined();
  });
});
