// The plan: what follows from the inputs, for the shipped sites and for any site.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { stackConfiguration, stackFileSchema } from "../../../stacks/config.ts";
import { type Inventory, inventorySchema } from "../../../stacks/inventory.ts";
import { loadInputs } from "../../../stacks/load.ts";
import { type Marvin, marvinSchema } from "../../../stacks/marvin.ts";
import { clusterSchema } from "../../../stacks/marvin-schema.ts";
import { type Plan, plan } from "../../../stacks/plan.ts";
import { parseBySchema } from "../../../stacks/schema.ts";
import { parseMarvinSource, parseYamlSource } from "../../../stacks/sources/index.ts";
import { checkout, findingsOf } from "./change.ts";

describe.each(["kvm", "xen", "acs-qa-kvm", "acs-qa-xen"])("the shipped stack %s", (stack) => {
  const loaded = loadInputs(checkout, { stack });

  test("is free of findings", () => {
    expect(loaded.findings).toEqual([]);
  });

  test("has the plan that was looked at last", () => {
    expect(loaded.plan).toMatchSnapshot();
  });
});

test.each(["lab", "acs-qa"])("every marvin configuration of the site %s is free of findings", (site) => {
  expect(loadInputs(checkout, { site }).findings).toEqual([]);
});

test("the two halves of the lab share no host, address, VLAN, store or management server", () => {
  const things = (file: string) => {
    const text = readFileSync(join(checkout, "environments/lab", file), "utf8");
    const found = [...text.matchAll(/"(?:url|startip|endip|vlan|mgtSvrName|mgtSvrIp)": "([^"]+)"/g)].map(([, value]) => value);
    return new Set(found);
  };
  const [kvm, xen] = [things("half-kvm.cfg"), things("half-xen.cfg")];
  expect([kvm.size, xen.size]).toEqual([12, 12]);
  expect([...kvm].filter((value) => xen.has(value))).toEqual([]);
});

test.each([
  ["kvm", "half-kvm.cfg", ["h11", "h12"]],
  ["xen", "half-xen.cfg", ["h13", "h14"]],
])("a stack like %s on its half of the lab gets two hosts and no other", (stack, file, hosts) => {
  const marvin = readFileSync(join(checkout, "environments/lab", file), "utf8");
  const made = loadText(readFileSync(join(checkout, `Pulumi.${stack}.yaml`), "utf8"), marvin);
  expect(made.machines.map((machine) => machine.name)).toEqual(hosts);
});

function read<T>(source: ReturnType<typeof parseYamlSource>, schema: Parameters<typeof parseBySchema<T>>[1]): T {
  const { data } = parseBySchema(source, schema, "it");
  if (data === undefined) throw new Error(source.findings[0]?.what);
  return data;
}

const inventoryText = readFileSync(join(checkout, "environments/lab/inventory.yaml"), "utf8");

function loadText(stack: string, marvin: string): Plan {
  const inventory = read<Inventory>(parseYamlSource("i", inventoryText), inventorySchema);
  const file = read(parseYamlSource("s", stack), stackFileSchema);
  return plan(inventory, read<Marvin>(parseMarvinSource("m", marvin), marvinSchema), stackConfiguration("s", file), {});
}

describe("what the stack file says", () => {
  const marvin = readFileSync(join(checkout, "environments/lab/lab-kvm.cfg"), "utf8");
  const stack = readFileSync(join(checkout, "Pulumi.kvm.yaml"), "utf8");
  const more = (text: string) =>
    stack.replace("  cloudstack-testbed:cloudstack:", `  cloudstack-testbed:${text}\n  cloudstack-testbed:cloudstack:`);

  test("a generation of one machine is that machine's only", () => {
    const generations = loadText(more('generations: { h12: "7" }'), marvin).machines.map((machine) => machine.generation);
    expect(generations).toEqual(["1", "7", "1", "1"]);
  });

  test("a generation may be a number without quotes", () => {
    expect(loadText(stack.replace('generation: "1"', "generation: 12"), marvin).generation).toBe("12");
  });

  test("limits override the inventory's, one by one", () => {
    expect(loadText(more("limits: { installSeconds: 60 }"), marvin).limits).toEqual({
      simultaneousInstalls: 4,
      bmcPacingSeconds: 0,
      installSeconds: 60,
      runSeconds: 1800,
      startSeconds: 900,
    });
    expect(loadText(more("limits: { bmcPacingSeconds: 5 }"), marvin).machines.map((machine) => machine.bmc.pacingSeconds)).toEqual([
      5, 5, 5, 5,
    ]);
  });
});

test("a machine asks the driver where it is in the machine's own network", () => {
  const servers = loadInputs(checkout, { stack: "acs-qa-kvm" }).plan?.machines.map((machine) => [machine.name, ...machine.nameServers]);
  expect(servers).toEqual([
    ["acs-qa-h11", "10.223.75.10"],
    ["acs-qa-h23", "10.223.75.10"],
    ["acs-qa-h20", "10.223.78.2"],
    ["acs-qa-h21", "10.223.78.130"],
  ]);
});

test("puppet needs names in lower case and full ones", () => {
  const found = findingsOf({
    inventory: (text) => text.replace(", domain: lab.test", "").replace("management-2:", "Management-2:"),
  });
  expect(new Set(found.map((one) => one.code))).toEqual(new Set(["TB115"]));
  expect(found).toHaveLength(7);
});

test("a UEFI machine needs a boot loader for UEFI", () => {
  const uefi = (text: string) => text.replace("firmware: bios", "firmware: uefi");
  expect(findingsOf({ inventory: uefi })).toEqual([]);
  const found = findingsOf({ inventory: (text) => uefi(text).replaceAll("bootLoaders: [pxe, grub, ipxe]", "bootLoaders: [pxe]") });
  expect(found.map((one) => one.code)).toEqual(["TB140"]);
});

describe("for any site", () => {
  interface Site {
    inventory: Inventory;
    marvin: Marvin;
    hosts: { name: string; hypervisor: string }[];
  }

  const base = read<Inventory>(parseYamlSource("i", inventoryText), inventorySchema);
  const cloud = read<Marvin>(parseMarvinSource("m", readFileSync(join(checkout, "environments/lab/half-kvm.cfg"), "utf8")), marvinSchema);
  const config = stackConfiguration(
    "s",
    read(parseYamlSource("s", readFileSync(join(checkout, "Pulumi.kvm.yaml"), "utf8")), stackFileSchema),
  );
  const template = base.machines.h11 as Inventory["machines"][string];

  /** Machines, some of them in clusters of two kinds, in any order. */
  const sites = fc
    .uniqueArray(fc.nat(250), { maxLength: 30 })
    .chain((numbers) =>
      fc.record({
        numbers: fc.constant(numbers),
        used: fc.shuffledSubarray(numbers),
        kinds: fc.infiniteStream(fc.constantFrom("KVM", "XenServer", "xenserver")),
      }),
    )
    .map(({ numbers, used, kinds }): Site => {
      const machines = Object.fromEntries(
        numbers.map((number) => [
          `m${number}`,
          { ...template, mac: `52:54:00:00:00:${number.toString(16).padStart(2, "0")}`, address: `10.91.0.${number + 1}` },
        ]),
      );
      const hosts = used.map((number) => ({ name: `m${number}`, hypervisor: kinds.next().value as string }));
      const clusters = hosts.map(({ name, hypervisor }) =>
        clusterSchema.parse({ clustername: `c-${name}`, hypervisor, clustertype: "CloudManaged", hosts: [{ url: `http://${name}` }] }),
      );
      const [zone] = cloud.zones as [Marvin["zones"][number]];
      const pods = zone.pods.map((pod) => ({ ...pod, clusters }));
      return { inventory: { ...base, machines }, marvin: { ...cloud, zones: [{ ...zone, pods }] }, hosts };
    });
  const both = { ...config, profiles: { KVM: "lab-kvm", XenServer: "lab-xen" } };

  test("the machines are the hosts of the marvin file, in its order, each with its own data and its hypervisor's profile", () => {
    fc.assert(
      fc.property(sites, ({ inventory, marvin, hosts }) => {
        const planned = plan(inventory, marvin, both, {}).machines.map(({ name, mac, address, profile }) => ({
          name,
          mac,
          address,
          profile,
        }));
        const wanted = hosts.map(({ name, hypervisor }) => ({
          name,
          mac: inventory.machines[name]?.mac,
          address: inventory.machines[name]?.address,
          profile: hypervisor === "KVM" ? "lab-kvm" : "lab-xen",
        }));
        expect(planned).toEqual(wanted);
      }),
    );
  });

  test("it changes nothing that it is given, is the same each time, and is plain data", () => {
    fc.assert(
      fc.property(sites, ({ inventory, marvin }) => {
        const before = JSON.stringify([inventory, marvin, both]);
        const first = plan(inventory, marvin, both, {});
        expect(JSON.stringify([inventory, marvin, both])).toBe(before);
        expect(plan(inventory, marvin, both, {})).toEqual(first);
        expect(JSON.parse(JSON.stringify(first))).toEqual(first);
      }),
    );
  });

  test("it does not depend on the order of the inventory", () => {
    fc.assert(
      fc.property(sites, ({ inventory, marvin }) => {
        const turned = { ...inventory, machines: Object.fromEntries(Object.entries(inventory.machines).reverse()) };
        expect(plan(turned, marvin, both, {}).machines).toEqual(plan(inventory, marvin, both, {}).machines);
      }),
    );
  });

  test("only what some machine installs is in it, and every name of the inventory", () => {
    fc.assert(
      fc.property(sites, ({ inventory, marvin, hosts }) => {
        const made = plan(inventory, marvin, both, {});
        const used = new Set(made.machines.map((machine) => machine.profile));
        expect(new Set(made.profiles.map((profile) => profile.name))).toEqual(used);
        expect(made.distros).toHaveLength(used.size);
        expect(made.templates).toHaveLength(hosts.length > 0 ? 1 : 0);
        expect(made.dnsEntries.map((entry) => entry.name)).toEqual(Object.keys(inventory.machines));
      }),
    );
  });
});
