// The whole program against Pulumi's mocks: which resources each shipped stack declares, below what, and after what.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type ProgramRun, type Registered, runProgram } from "../../support/program.ts";
import { checkout } from "../inputs/change.ts";

interface Shape {
  hosts: string[];
  /** Hosts, and the management server's VM. */
  machines: string[];
  server: string;
  profiles: string[];
  stores: string[];
}

const ofLab = { hosts: ["h11", "h12", "h13", "h14"], server: "management" };
const zones = ["primary-z0-pod0", "primary-z0-pod1", "primary-z1-pod0", "secondary-z0", "secondary-z1"];
const halves = (half: string) => [`${half}-primary`, `${half}-secondary`];
const shapes: Record<string, Shape> = {
  kvm: shape({ ...ofLab, profiles: ["lab-kvm", "lab-management"], stores: zones }),
  xen: shape({ ...ofLab, profiles: ["lab-management", "lab-xen"], stores: zones }),
  "half-kvm": shape({ hosts: ["h11", "h12"], server: "management", profiles: ["lab-kvm", "lab-management"], stores: halves("half-kvm") }),
  "half-xen": shape({ hosts: ["h13", "h14"], server: "management-2", profiles: ["lab-management", "lab-xen"], stores: halves("half-xen") }),
};

function shape(one: Omit<Shape, "machines">): Shape {
  return { ...one, machines: [...one.hosts, one.server], stores: one.stores.map((name) => `10.91.0.1:/srv/nfs/${name}`) };
}

let folder: string;
const runs = new Map<string, ProgramRun>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "testbed-program-"));
  cpSync(join(checkout, "environments"), join(folder, "environments"), { recursive: true });
  symlinkSync(join(checkout, "appliance"), join(folder, "appliance"));
  for (const name of ["kvm", "xen"]) {
    const text = readFileSync(join(checkout, `Pulumi.${name}.yaml`), "utf8");
    writeFileSync(join(folder, `Pulumi.${name}.yaml`), text);
    writeFileSync(join(folder, `Pulumi.half-${name}.yaml`), text.replace(`lab-${name}.cfg`, `half-${name}.cfg`));
  }
  for (const stack of Object.keys(shapes)) runs.set(stack, await runProgram(folder, stack));
});

afterAll(() => rmSync(folder, { recursive: true }));

const labels = (type: string, names: readonly string[]) => names.map((name) => `${type} ${name}`);
const fqdns = (names: readonly string[]) => names.map((name) => `${name}.lab.test`);

describe.each(Object.entries(shapes))("the program of stack %s", (stack, { hosts, machines, server, profiles, stores }) => {
  const run = () => runs.get(stack) as ProgramRun;
  const resource = (label: string) => run().resources.find((one) => one.label === label) as Registered;
  const childrenOf = (label: string) =>
    run()
      .resources.filter((one) => one.parent === label)
      .map((one) => one.label);

  /** Everything that has to be done before it. */
  function needsOf(label: string, known = new Set<string>()): Set<string> {
    for (const need of resource(label).dependsOn) if (!known.has(need)) needsOf(need, known.add(need));
    return known;
  }

  test("opens no connection and starts no process", () => {
    expect([run().error, run().remote]).toEqual([undefined, []]);
  });

  test("declares one environment: provisioning, stores, roles, the management server and its cloud", () => {
    expect(childrenOf("")).toEqual([`Environment ${stack}`]);
    expect(new Set(childrenOf(`Environment ${stack}`))).toEqual(
      new Set(["Provisioning lab", "Storage lab", "Roles lab", `cloudstack:ManagementServer ${server}`, "MarvinCloud lab"]),
    );
  });

  test("declares every object once, in the component that it belongs to", () => {
    const everyMachine = ["h11", "h12", "h13", "h14", "management", "management-2"];
    expect(childrenOf("Provisioning lab").sort()).toEqual(
      [
        "site:Lease lab-lease",
        "cobbler:Sync lab-sync",
        "cobbler:Template testbed-lab.sh",
        ...labels("cobbler:Distro", ["lab-hv", "lab-os"]),
        ...labels("cobbler:Profile", profiles),
        ...labels("cobbler:System", machines),
        ...labels("puppet:Certificate", fqdns(machines)),
        ...labels("baremetal:Host", hosts),
        ...labels("xenserver:VirtualMachine", [server]),
        ...labels("dnsmasq:Host", fqdns(everyMachine)),
      ]
        .filter((label) => stack.endsWith("kvm") || label !== "cobbler:Distro lab-hv")
        .sort(),
    );
    expect(childrenOf("Storage lab").sort()).toEqual(labels("nfs:Store", stores));
    expect(childrenOf("Roles lab").sort()).toEqual(["puppet:Modules lab-roles", ...labels("puppet:Run", fqdns(machines))].sort());
  });

  test("touches nothing before the lease is held", () => {
    expect(resource("site:Lease lab-lease").dependsOn).toEqual([]);
    const free = run().resources.filter(
      ({ label }) => label.includes(":") && label !== "site:Lease lab-lease" && !needsOf(label).has("site:Lease lab-lease"),
    );
    expect(free.map((one) => one.label)).toEqual([]);
  });

  test("syncs cobbler once, after all that systems are made of and before any system", () => {
    const made = [
      ...labels("cobbler:Profile", profiles),
      "cobbler:Template testbed-lab.sh",
      "cobbler:Distro lab-os",
      ...(stack.endsWith("kvm") ? ["cobbler:Distro lab-hv"] : []),
    ];
    const sync = needsOf("cobbler:Sync lab-sync");
    expect([...sync].sort()).toEqual([...made, "site:Lease lab-lease"].sort());
    for (const system of labels("cobbler:System", machines)) expect(needsOf(system)).toContain("cobbler:Sync lab-sync");
  });

  test("boots a machine after its own system, name and certificate, and waits for no other machine", () => {
    for (const name of machines) {
      const label = `${name === server ? "xenserver:VirtualMachine" : "baremetal:Host"} ${name}`;
      const own = [`cobbler:System ${name}`, `dnsmasq:Host ${name}.lab.test`, `puppet:Certificate ${name}.lab.test`];
      expect([...needsOf(label)].filter((one) => /^(cobbler:System|dnsmasq|puppet|baremetal|xenserver)/.test(one)).sort()).toEqual(own);
    }
  });

  test("empties a store only after every machine that could use it has proved itself", () => {
    const proved = [...labels("baremetal:Host", hosts), `xenserver:VirtualMachine ${server}`];
    for (const store of labels("nfs:Store", stores)) expect([...needsOf(store)]).toEqual(expect.arrayContaining(proved));
  });

  test("gives a machine its role after its own proof and the modules, whatever the other machines do", () => {
    for (const name of machines) {
      const machine = `${name === server ? "xenserver:VirtualMachine" : "baremetal:Host"} ${name}`;
      expect(resource(`puppet:Run ${name}.lab.test`).dependsOn.sort()).toEqual([machine, "puppet:Modules lab-roles"].sort());
    }
  });

  test("proves the cloud healthy last, after every host, which joins once it has its role, and every store", () => {
    const needs = needsOf("cloudstack:Health lab");
    const made = run().resources.filter(({ label }) => /^cloudstack:(Host|StoragePool|ImageStore|ZoneEnablement) /.test(label));
    expect([...needs]).toEqual(expect.arrayContaining(made.map((one) => one.label)));
    const joined = made.filter(({ label }) => label.startsWith("cloudstack:Host "));
    expect(joined).toHaveLength(hosts.length);
    const roles = (label: string) =>
      [...needsOf(label)].filter((one) => one.startsWith("puppet:Run ") && one !== `puppet:Run ${server}.lab.test`);
    expect(joined.flatMap(({ label }) => roles(label)).sort()).toEqual(labels("puppet:Run", fqdns(hosts)));
    for (const { label, deletedWith } of run().resources.filter((one) => one.label.startsWith("cloudstack:")))
      expect([label, deletedWith]).toEqual([label, `xenserver:VirtualMachine ${server}`]);
  });

  test("asks the management server after its role and its stores, and keeps its keys secret", () => {
    const label = `cloudstack:ManagementServer ${server}`;
    const own = [`xenserver:VirtualMachine ${server}`, `puppet:Run ${server}.lab.test`, ...labels("nfs:Store", stores)];
    expect(resource(label).dependsOn.sort()).toEqual(own.sort());
    expect(resource(label).deletedWith).toBe(`xenserver:VirtualMachine ${server}`);
    expect(resource(label).secretOutputs.sort()).toEqual(["apiKey", "secretKey"]);
  });

  test("tells no resource a secret, not even an encrypted one: credentials are named", () => {
    const told = JSON.stringify(run().resources.map((one) => one.inputs));
    for (const [, text = ""] of readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8").matchAll(/secure: (\S+)/g))
      expect(told).not.toContain(text);
    expect(told).not.toMatch(/"(password|privateKey|admin)":/);
    expect(told).not.toContain("PRIVATE KEY");
  });

  test("has every proved host and the management server among its outputs, and no key of it", () => {
    const { outputs } = run();
    expect((outputs.hosts as { name: string }[]).map((one) => one.name)).toEqual(hosts);
    expect(outputs.managementServer).toMatchObject({ name: server, log: expect.stringContaining("management-server.log") });
    expect(JSON.stringify(outputs)).not.toContain("secretKey");
  });
});

test("kvm and xen install other profiles on the same machines, and give them other roles", () => {
  const of = (stack: string, label: string, key: string) => runs.get(stack)?.resources.find((one) => one.label === label)?.inputs[key];
  const seen = ["kvm", "xen"].map((stack) => [of(stack, "baremetal:Host h11", "profile"), of(stack, "puppet:Run h11.lab.test", "role")]);
  expect(seen).toEqual([
    ["lab-kvm", "kvm-host"],
    ["lab-xen", "xenserver-host"],
  ]);
});

test("the two halves claim nothing in common, and each whole stack claims what both halves have of machines", () => {
  const claims = (stack: string) =>
    runs.get(stack)?.resources.find((one) => one.label.startsWith("site:Lease"))?.inputs.claims as readonly string[];
  expect(claims("half-kvm").filter((one) => claims("half-xen").includes(one))).toEqual([]);
  const machines = (stack: string) => claims(stack).filter((one) => one.startsWith("machine/h"));
  expect(machines("kvm")).toEqual([...machines("half-kvm"), ...machines("half-xen")]);
});

test("faulty inputs declare nothing at all, and the refusal names the line", async () => {
  const file = join(folder, "environments/lab/lab-kvm.cfg");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("http://h14", "http://h99"));
  const { resources, error, remote } = await runProgram(folder, "kvm");
  writeFileSync(file, text);
  expect(error).toMatch(/nothing was touched[\s\S]*environments\/lab\/lab-kvm\.cfg:\d+:\d+[\s\S]*h99/);
  expect([resources, remote]).toEqual([[], []]);
});

test("a stack that has no file is refused by name", async () => {
  const { resources, error } = await runProgram(folder, "nowhere");
  expect(error).toContain("Pulumi.nowhere.yaml");
  expect(resources).toEqual([]);
});

test("a site that only names a management server declares its cloud, and nothing to install", async () => {
  mkdirSync(join(folder, "environments/cloud"));
  writeFileSync(join(folder, "environments/cloud/inventory.yaml"), "site: cloud\nmanagementServer: { address: 127.0.0.1 }\n");
  cpSync(join(checkout, "test/fixtures/simulator.cfg"), join(folder, "environments/cloud/simulator.cfg"));
  const config = ["site: cloud", "marvin: simulator.cfg", "hypervisor: simulator", 'generation: "1"', "cloudstack: { release: 4.20.3.0 }"];
  const stack = config.map((line) => `  cloudstack-testbed:${line}\n`).join("");
  writeFileSync(join(folder, "Pulumi.cloud.yaml"), `config:\n${stack}`);
  const { resources, outputs, error, warnings } = await runProgram(folder, "cloud");
  expect(error).toBeUndefined();
  const kinds = new Set(resources.map(({ label }) => label.replace(/ .*/, "")));
  expect([...kinds].filter((kind) => !kind.startsWith("cloudstack:"))).toEqual(["MarvinCloud"]);
  expect(kinds).not.toContain("cloudstack:ManagementServer");
  expect(resources.filter((one) => one.deletedWith)).toEqual([]);
  expect(warnings.join("\n")).toContain("TB104");
  expect(outputs).toMatchObject({ site: "cloud", hosts: [] });
});
