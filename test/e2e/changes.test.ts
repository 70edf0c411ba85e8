// What a change of the inputs, or of the site behind our back, makes of an environment that stands. Two light hosts, real daemons.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { xmlRpcClient } from "../../providers/transport/xmlrpc.ts";
import { labCredentials } from "../support/context.ts";
import { labState } from "../support/lab.ts";
import { halfOfLab, type Project } from "../support/project.ts";

const cobbler = xmlRpcClient("http://10.91.0.1/cobbler_api", { system: "cobbler", timeoutSeconds: 20 });
let project: Project;
let before: Awaited<ReturnType<Project["hosts"]>>;

beforeAll(async () => {
  project = await halfOfLab("kvm");
  const { status, output } = await project.up();
  expect([status, status === 0 || output]).toEqual([0, true]);
  before = await project.hosts();
}, 240_000);

afterAll(async () => {
  await project.destroy();
  project.remove();
}, 240_000);

/** Runs `up` and tells what it touched of hosts and what installs them, like `baremetal:Host h13 created`. */
async function changes(...options: string[]): Promise<string[]> {
  const { status, output } = await project.up(...options);
  expect([status, status === 0 || output]).toEqual([0, true]);
  return [...output.matchAll(/dynamic\/((?:baremetal|cobbler|dnsmasq):\S+) (\S+) (created|updated|deleted|replaced)\b/g)].map(
    ([, type, name, what]) => `${type} ${name} ${what}`,
  );
}

/** How much each daemon of the site was asked so far, by its own log. */
function traffic(): Record<string, number> {
  const log = join(labState(), "log");
  const lines = (name: string) => readFileSync(join(log, name), "utf8").split("\n");
  const bmcs = readdirSync(log).filter((name) => /^bmc-.*\.log$/.test(name));
  return {
    bmc: bmcs.reduce((sum, name) => sum + lines(name).length, 0),
    cobbler: lines("web-access.log").filter((line) => line.includes("POST /cobbler_api")).length,
    ssh: lines("sshd.log").filter((line) => line.includes("Accepted publickey")).length,
  };
}

async function token(): Promise<string> {
  const { user, password } = labCredentials.cobbler as { user: string; password: string };
  return String(await cobbler.call("login", [user, password]));
}

test("an unchanged environment causes no traffic at BMCs, cobbler or the driver, by the daemons' own logs", async () => {
  const was = traffic();
  expect(await changes()).toEqual([]);
  expect((await project.preview("--expect-no-changes")).status).toBe(0);
  expect(traffic()).toEqual(was);
});

test("a preview of a change needs no site: it works where no address of the lab exists", () => {
  const command = "ip link set lo up && exec pulumi preview --stack kvm --non-interactive --expect-no-changes";
  const output = execFileSync("unshare", ["--net", "sh", "-c", command], {
    cwd: project.folder,
    env: project.environment,
    encoding: "utf8",
  });
  expect(output).toContain("unchanged");
});

const added = ', { "username": "root", "password": "$' + '{hosts.password}", "url": "http://h13" }';

test("a host added to the marvin file touches only that host", async () => {
  project.edit("environments/lab/half-kvm.cfg", (text) => text.replace(/("url": "http:\/\/h12"\s*\})/, `$1${added}`));
  expect((await changes()).filter((row) => !row.startsWith("site:Lease"))).toEqual([
    "cobbler:System h13 created",
    "baremetal:Host h13 created",
  ]);
  const after = await project.hosts();
  expect(Object.keys(after)).toEqual(["h11", "h12", "h13"]);
  for (const name of ["h11", "h12"]) expect(after[name]).toEqual(before[name]);
}, 240_000);

test("a host removed from it takes only that host away, and leaves it off", async () => {
  project.edit("environments/lab/half-kvm.cfg", (text) => text.replace(added, ""));
  expect((await changes()).filter((row) => !row.startsWith("site:Lease")).sort()).toEqual([
    "baremetal:Host h13 deleted",
    "cobbler:System h13 deleted",
  ]);
  expect(await cobbler.call("find_system", [{ name: "h13" }])).toEqual([]);
  expect(await project.hosts()).toEqual(before);
}, 240_000);

test("a changed profile re-images the hosts that have it, and preview says on each row why", async () => {
  project.edit("environments/lab/inventory.yaml", (text) =>
    text.replace("variables: { lab_image: hv }", 'variables: { lab_image: hv, motd: "changed" }'),
  );
  const { output } = await project.preview("--diff");
  expect(output).toMatch(/installs *: "[0-9a-f]{16}" => "[0-9a-f]{16}"/);
  const rows = await changes();
  expect(rows.sort()).toEqual([
    "baremetal:Host h11 updated",
    "baremetal:Host h12 updated",
    "cobbler:Profile lab-kvm updated",
    "cobbler:Sync lab-sync updated",
  ]);
  const after = await project.hosts();
  for (const name of ["h11", "h12"]) {
    expect(after[name]?.tokenFingerprint).not.toBe(before[name]?.tokenFingerprint);
    expect(after[name]?.hostKey).not.toBe(before[name]?.hostKey);
  }
  before = after;
}, 240_000);

test("--target installs the one host that it names", async () => {
  project.edit("Pulumi.kvm.yaml", (text) => text.replace('cloudstack-testbed:generation: "1"', 'cloudstack-testbed:generation: "2"'));
  const target =
    "urn:pulumi:kvm::cloudstack-testbed::testbed:index:Environment$testbed:index:Provisioning$pulumi-nodejs:dynamic/baremetal:Host::h12";
  expect(await changes("--target", target)).toEqual(["baremetal:Host h12 updated"]);
  expect(await changes()).toEqual(["baremetal:Host h11 updated"]);
  before = await project.hosts();
}, 240_000);

test("a system changed by hand is shown by refresh, field by field, and mended by the next up without a new installation", async () => {
  const session = await token();
  const handle = await cobbler.call("get_system_handle", ["h11", session]);
  await cobbler.call("modify_system", [handle, "gateway", "10.91.0.254", session]);
  await cobbler.call("save_system", [handle, session]);
  const { status, output } = await project.refresh("--diff");
  expect(status).toBe(0);
  expect(output).toMatch(/gateway *: "10\.91\.0\.1" => "10\.91\.0\.254"/);
  expect(await changes()).toEqual(["cobbler:System h11 updated"]);
  const mended = (await cobbler.call("get_system", ["h11"])) as { gateway: string };
  expect(mended.gateway).toBe("10.91.0.1");
  expect(await project.hosts()).toEqual(before);
}, 240_000);

test("a DNS entry edited by hand is drift, and comes back", async () => {
  const file = readdirSync("/srv/testbed/hosts.d").find((name) => name.includes("h12"));
  const path = `/srv/testbed/hosts.d/${file}`;
  const was = readFileSync(path, "utf8");
  writeFileSync(path, was.replace("10.91.0.12", "10.91.0.99"));
  expect((await project.refresh()).status).toBe(0);
  expect(await changes()).toEqual(["dnsmasq:Host h12.lab.test updated"]);
  expect(readFileSync(path, "utf8")).toBe(was);
}, 240_000);

test("an installation that replaced ours is drift of the generation: the next up installs the host again", async () => {
  const key = join(import.meta.dirname, "../../lab/keys/id_ed25519");
  const privateKey = join(project.folder, "key");
  execFileSync("install", ["-m", "600", key, privateKey]);
  const ssh = ["-i", privateKey, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@10.91.0.11"];
  execFileSync("ssh", [...ssh, "sed -i s/^token=.*/token=another/ /etc/testbed-install"], { stdio: "ignore" });
  expect((await project.refresh()).status).toBe(0);
  expect(await changes()).toEqual(["baremetal:Host h11 updated"]);
  expect((await project.hosts()).h11?.tokenFingerprint).not.toBe(before.h11?.tokenFingerprint);
}, 240_000);
