// What stands around the cloud: the management server's VM, stores, roles, the API. Two light hosts, the real engine and daemons.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { junitXml } from "../../runner/junit.ts";
import { fault, labProcess } from "../support/lab.ts";
import { green, halfOfLab, operations, type Project, red } from "../support/project.ts";
import { type Found, needlesOf, SecretWatch, secretsBelow, secretsIn } from "../support/secret-watch.ts";
import { credentialsOf, suiteOf } from "../support/site-suite.ts";

const rowMilliseconds = 300_000;
const secondary = "/srv/nfs/half-kvm-secondary";
const primary = "/srv/nfs/half-kvm-primary";
/** Who may have secrets in an environment: never in arguments. */
const enginesProgram = /^environment of \S+\/node \S+\/@pulumi\/pulumi\/cmd\/run\/index\.js$/;
const ipmitool = /^environment of ipmitool /;
let project: Project;
let watch: SecretWatch;
/** The results of the environment suite, as they are written. */
let junit = "";

interface Server {
  address: string;
  release: string;
  url: string;
}

beforeAll(async () => {
  project = await halfOfLab("kvm");
  watch = new SecretWatch(process.pid, labProcess());
}, rowMilliseconds);

afterEach(async () => {
  for (const name of ["nfs", "puppetserver", "h11", "management"]) await fault(name, "clear");
});

afterAll(async () => {
  watch.stop();
  await project.destroy();
  project.remove();
}, rowMilliseconds);

async function server(): Promise<Server> {
  return project.output<Server>("managementServer");
}

function setGeneration(from: string, to: string): void {
  project.edit("Pulumi.kvm.yaml", (text) =>
    text.replace(`cloudstack-testbed:generation: "${from}"`, `cloudstack-testbed:generation: "${to}"`),
  );
}

test(
  "an agent whose run fails is told with the resources that failed, and the next up heals it without a new installation",
  async () => {
    await fault("h11", "run-fails");
    const output = await red(project.up());
    expect(output).toMatch(/h11\.lab\.test.*(fail|Fail)/);
    expect(output).toContain("Run h12.lab.test created");
    await fault("h11", "clear");
    const healed = await green(project.up());
    expect(healed).not.toMatch(/baremetal:Host h1[12] (updated|created)/);
  },
  2 * rowMilliseconds,
);

test("the management server answers with the release under test, and its address is an output", async () => {
  const { address, release, url } = await server();
  expect(address).toBe("10.91.0.41");
  expect(release).toMatch(/^4\.20\.3\.0/);
  expect((await fetch(url)).status).toBe(401);
});

test("every store carries the stack's marker and nothing else", () => {
  for (const path of [primary, secondary]) expect(readdirSync(path)).toEqual([".cloudstack-testbed-store"]);
});

test(
  "the environment suite finds machines, roles, clocks, services and stores as they should be",
  async () => {
    const results = await suiteOf(project);
    junit = junitXml("environment", results, { stack: project.stack });
    expect(results.filter((one) => one.verdict !== "ok")).toEqual([]);
    expect(results.map((one) => one.name)).toEqual(
      expect.arrayContaining([
        "puppet's last run gave it the role management-server",
        "its clock agrees with the driver's",
        "its database answers (3306)",
        "the release under test answers on the open port (8096): 4.20.3.0",
        "the API answers (8080), and refuses who has no keys",
        `10.91.0.1:${primary} is exported`,
        `10.91.0.1:${secondary} is there, mounted, and carries this stack's marker`,
      ]),
    );
  },
  rowMilliseconds,
);

test(
  "the environment suite tells a store that another stack took, and a port that is closed",
  async () => {
    await fault("nfs", "stale-marker", primary);
    await fault("management", "cloud-no-open-port");
    const results = await suiteOf(project);
    junit += junitXml("environment", results, { stack: project.stack });
    const wrong = results.filter((one) => one.verdict !== "ok");
    expect(wrong.map(({ host, verdict, message }) => ({ host, verdict, message }))).toEqual([
      { host: "stores", verdict: "failed", message: expect.stringContaining("is held by cloudstack-testbed:cloudstack-testbed/another/") },
      { host: "management", verdict: "error", message: expect.stringContaining("8096") },
    ]);
  },
  rowMilliseconds,
);

test(
  "the environment suite tells stores whose disk is not mounted",
  async () => {
    await fault("nfs", "not-mounted");
    const wrong = (await suiteOf(project)).filter((one) => one.verdict !== "ok");
    expect(wrong.map((one) => one.message)).toEqual(expect.arrayContaining([expect.stringContaining("nothing is mounted at /srv/nfs")]));
  },
  rowMilliseconds,
);

test(
  "a second up does nothing",
  async () => {
    await green(project.preview("--expect-no-changes"));
  },
  rowMilliseconds,
);

test(
  "a new generation installs every machine again, empties the stores, and the cloud is a new one",
  async () => {
    mkdirSync(`${primary}/old`);
    writeFileSync(`${primary}/old/.disk`, "old");
    const before = { hosts: await project.hosts(), keys: await serverKeys() };
    setGeneration("1", "2");
    await green(project.up());
    const after = await project.hosts();
    for (const name of ["h11", "h12"]) expect(after[name]?.tokenFingerprint).not.toBe(before.hosts[name]?.tokenFingerprint);
    expect(existsSync(`${primary}/old`)).toBe(false);
    expect((await serverKeys()).apiKey).not.toBe(before.keys.apiKey);
  },
  rowMilliseconds,
);

async function serverKeys(): Promise<{ apiKey: string; secretKey: string }> {
  const { output } = await project.pulumi("stack", "export", "--stack", "kvm", "--show-secrets");
  const keyOf = (name: string) => {
    const [, key] = new RegExp(`"${name}":\\s*\\{[^}]*"plaintext":\\s*"\\\\"([^"\\\\]+)`).exec(output) ?? [];
    if (!key) throw new Error(`the state has no ${name}`);
    return key;
  };
  return { apiKey: keyOf("apiKey"), secretKey: keyOf("secretKey") };
}

test(
  "a store of another stack is never emptied: the run is red, names the holder, and the next up goes on",
  async () => {
    const marker = `${primary}/.cloudstack-testbed-store`;
    await fault("nfs", "stale-marker", primary);
    writeFileSync(`${primary}/theirs`, "precious");
    setGeneration("2", "3");
    await red(project.up());
    expect(existsSync(`${primary}/theirs`)).toBe(true);
    expect(existsSync(marker)).toBe(true);
    await fault("nfs", "clear");
    await green(project.up());
    expect(existsSync(`${primary}/theirs`)).toBe(false);
  },
  rowMilliseconds,
);

test(
  "a management server of another distribution is installed anew, its stores are emptied, and the cloud is a new one; hosts stay",
  async () => {
    writeFileSync(`${primary}/old`, "of the old cloud");
    const before = { hosts: await project.hosts(), keys: await serverKeys() };
    project.edit("Pulumi.kvm.yaml", (text) => text.replace("profile: lab-management", "profile: lab-kvm"));
    expect(await green(project.preview("--diff"))).toMatch(/VirtualMachine[\s\S]*profile *: "lab-management" => "lab-kvm"/);
    const done = operations(await green(project.up()));
    expect(done).toContain("xenserver:VirtualMachine management updated");
    expect(done.filter((row) => row.startsWith("nfs:Store"))).toEqual(
      [primary, secondary].map((path) => `nfs:Store 10.91.0.1:${path} updated`),
    );
    expect(done.filter((row) => row.startsWith("baremetal:"))).toEqual([]);
    expect([await project.hosts(), existsSync(`${primary}/old`), (await serverKeys()).apiKey === before.keys.apiKey]).toEqual([
      before.hosts,
      false,
      false,
    ]);
    const { profile, os } = await project.output<{ profile: string; os: { id: string } }>("managementServer");
    expect([profile, os.id]).toEqual(["lab-kvm", "lab-hv"]);
  },
  rowMilliseconds,
);

const third = "/srv/nfs/half-kvm-third";
const inMarvin = `, { "name": "half-kvm-pod0-ps1", "url": "nfs://driver${third}" }`;

test(
  "a store that is added to the marvin file, and one that is taken out of it, are all that is touched",
  async () => {
    writeFileSync(`${primary}/volume`, "of the cloud");
    project.edit("environments/lab/half-kvm.cfg", (text) => text.replace(/(half-kvm-primary"\s*\})/, `$1${inMarvin}`));
    const store = `nfs:Store 10.91.0.1:${third}`;
    const pool = "cloudstack:StoragePool half-kvm/half-kvm-pod0/half-kvm-pod0-c0/half-kvm-pod0-ps1";
    const around = (what: string) => [
      "cloudstack:Health lab updated",
      `${pool} ${what}`,
      `${store} ${what}`,
      "site:Lease lab-lease updated",
    ];
    expect(operations(await green(project.up()))).toEqual(around("created"));
    expect(readdirSync(third)).toEqual([".cloudstack-testbed-store"]);
    writeFileSync(`${third}/volume`, "of the cloud");
    project.edit("environments/lab/half-kvm.cfg", (text) => text.replace(inMarvin, ""));
    expect(operations(await green(project.up()))).toEqual(around("deleted"));
    expect([existsSync(third), readdirSync(primary).sort()]).toEqual([false, [".cloudstack-testbed-store", "volume"]]);
  },
  rowMilliseconds,
);

test(
  "no secret of the stack came to light: no process, log, journal, state, preview or result has one",
  async () => {
    await project.preview("--json");
    const needles = needlesOf({ ...(await credentialsOf(project)), server: await serverKeys() });
    expect([...needles.keys()].sort()).toEqual([
      "bmc.password",
      "cobbler.password",
      "database.admin",
      "database.password",
      "driver.privateKey",
      "hosts.password",
      "hosts.privateKey",
      "server.apiKey",
      "server.secretKey",
      "xenserver.password",
    ]);
    const seen = watch.found(needles);
    // The engine itself hands the whole configuration to the program that it runs, and to nobody else (its providers get it by gRPC).
    expect(seen).toContainEqual({ secret: "driver.privateKey", where: expect.stringMatching(enginesProgram) });
    const allowed = ({ secret, where }: Found) => enginesProgram.test(where) || (secret === "bmc.password" && ipmitool.test(where));
    expect(junit).toContain("<error ");
    expect({
      processes: seen.filter((one) => !allowed(one)),
      logs: secretsBelow("/var/log", needles),
      project: secretsBelow(project.folder, needles),
      printed: secretsIn(project.printed, needles),
      junit: secretsIn(junit, needles),
    }).toEqual({ processes: [], logs: [], project: [], printed: [], junit: [] });
  },
  rowMilliseconds,
);

test(
  "destroy leaves no VM, no store, no certificate and no role",
  async () => {
    await green(project.destroy());
    expect(existsSync(primary) ? readdirSync(primary) : []).toEqual([]);
    expect(existsSync(secondary) ? readdirSync(secondary) : []).toEqual([]);
    await expect(fetch("http://10.91.0.41:8080/client/api", { signal: AbortSignal.timeout(3000) })).rejects.toThrow();
    await green(project.destroy());
  },
  rowMilliseconds,
);
