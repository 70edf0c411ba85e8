// puppet:Certificate, puppet:Modules and puppet:Run against the real puppetserver and agent of Debian 12. What the lab's emulator says is
// taken from here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Context } from "../../providers/kernel/index.ts";
import { certificate, modules, modulesDigest, run } from "../../providers/puppet/index.ts";
import type { RunInputs } from "../../providers/puppet/run.ts";
import { closeSharedSsh, type SshResult, sshExec } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, labCredentials, testContext } from "../support/context.ts";
import { master, node, startMachines, stopMachines } from "./machines.ts";

const SUITE_SECONDS = 1500;
const hostKey = readFileSync(join(import.meta.dirname, "../../lab/keys/driver_host_ed25519.pub"), "utf8").trim();
const server = { address: master.address, user: "root", hostKey, credential: "driver" };
const source = join(import.meta.dirname, "../../appliance");
const modulesInputs = {
  server,
  source,
  digest: modulesDigest(source),
  modulesDirectory: "/etc/puppet/code/environments/production/modules",
};
const aRun: Partial<RunInputs> = {
  node: { address: node.address, user: "root", hostKey, credential: "hosts" },
  certname: node.name,
  server: master.name,
  role: "xenserver-host",
  parameters: { ssh_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIND0CS503dOsNAlb suite" },
  runSeconds: 300,
};
let generation = 0;

/** Ruby and JRuby on busy cores take longer than the kernel's contexts of the other tests allow. */
const patient = (): Context & { phases: string[] } => ({ ...testContext(), signal: AbortSignal.timeout(SUITE_SECONDS * 1000) });
const clean = (certname: string) =>
  apply(certificate, { server, master: master.name, certname, generation: `${++generation}`, serverSeconds: 300 }, patient());
const runs = (change: Partial<RunInputs> = {}) => apply(run, { ...aRun, generation: `${++generation}`, ...change }, patient());

function on(address: string, script: string, ...args: string[]): Promise<SshResult> {
  const target = { address, user: "root", hostKey, privateKey: labCredentials.driver?.privateKey ?? "" };
  return sshExec(target, ["sh", "-c", script, "sh", ...args], { timeoutSeconds: 300 });
}

/** The command itself, as an operator would type it: its status and what it says. */
async function command(...words: string[]): Promise<{ status: number; says: string }> {
  const { status, stdout, stderr } = await on(master.address, '"$@"', ...words);
  return { status, says: `${stdout}${stderr}`.trim() };
}

/** A signed certificate, or with `autosign` off a mere request, of a name that no machine has. */
async function ask(certname: string, signed: boolean): Promise<void> {
  if (signed) await command("puppetserver", "ca", "generate", "--certname", certname);
  else {
    const script = `
set -e
openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout /dev/null -out /tmp/request.pem 2>/dev/null
install -o puppet -g puppet -m 644 /tmp/request.pem "/etc/puppet/puppetserver/ca/requests/$1.pem"`;
    const { status, stderr } = await on(master.address, script, certname);
    if (status !== 0) throw new Error(stderr);
  }
}

beforeAll(startMachines, SUITE_SECONDS * 1000);

afterAll(async () => {
  await closeSharedSsh();
  await stopMachines();
});

describe("`puppetserver ca clean`, row by row", () => {
  test("a signed certificate: status 0, revoked and cleaned", async () => {
    await ask("signed.lab.test", true);
    const { phases, outputs } = await clean("signed.lab.test");
    expect(outputs.way).toBe("puppetserver ca");
    expect(phases).toContain("certificate cleaned");
    expect((await command("puppetserver", "ca", "list", "--certname", "signed.lab.test")).says).toContain("Missing Certificates:");
    await ask("signed.lab.test", true);
    expect(await command("puppetserver", "ca", "clean", "--certname", "signed.lab.test")).toEqual({
      status: 0,
      says: "Certificate for signed.lab.test has been revoked\nCleaned files related to signed.lab.test",
    });
  });

  test("only a request: status 24, and cleaned", async () => {
    await ask("request.lab.test", false);
    expect((await clean("request.lab.test")).phases).toContain("certificate cleaned");
    await ask("request.lab.test", false);
    expect(await command("puppetserver", "ca", "clean", "--certname", "request.lab.test")).toEqual({
      status: 24,
      says: "Cleaned files related to request.lab.test",
    });
  });

  test("nothing known: status 1, which is clean", async () => {
    expect((await clean("unknown.lab.test")).phases).toContain("there was no certificate");
    expect(await command("puppetserver", "ca", "clean", "--certname", "unknown.lab.test")).toEqual({
      status: 1,
      says: "Error:\n    Could not find files to clean for unknown.lab.test",
    });
  });

  test("several names, one unknown: status 1, the others are cleaned", async () => {
    await ask("one.lab.test", true);
    const { status, says } = await command("puppetserver", "ca", "clean", "--certname", "one.lab.test,unknown.lab.test");
    expect(status).toBe(1);
    expect(says).toContain("Cleaned files related to one.lab.test");
  });

  test("a server that is down: status 1, waited for, and named", async () => {
    // Its start would take minutes once more: the command line is pointed to a port where nobody listens instead.
    await on(master.address, "printf '[main]\\nca_port = 8149\\n' >>/etc/puppet/puppet.conf");
    try {
      const { status, says } = await command("puppetserver", "ca", "clean", "--certname", "down.lab.test");
      expect(status).toBe(1);
      expect(says).toMatch(/^Fatal error when running action 'clean'\n {2}Error: Failed connecting to https:/);
      const inputs = { server, master: master.name, certname: "down.lab.test", generation: "down", serverSeconds: 2 };
      const error = await failure(apply(certificate, inputs, patient()));
      expect(error.kind).toBe("timeout");
      expect(error.message).toContain("Failed connecting to");
    } finally {
      await on(master.address, "sed -i '$d' /etc/puppet/puppet.conf; sed -i '$d' /etc/puppet/puppet.conf");
    }
  });

  test("the master's own is refused", async () => {
    expect((await failure(clean(master.name))).code).toBe("own-certificate");
  });
});

describe("a run", () => {
  beforeAll(() => apply(modules, modulesInputs, patient()), 300_000);

  test("gives a role: changed, then unchanged by another run", async () => {
    expect((await runs()).outputs).toMatchObject({ result: "changed" });
    expect((await on(node.address, "cat /root/.ssh/authorized_keys")).stdout).toContain("suite");
    expect((await runs()).outputs).toMatchObject({ result: "unchanged", changed: 0 });
  });

  test("with the key of another installation is a conflict, and runs after the clean", async () => {
    await on(node.address, "rm -rf /var/lib/puppet/ssl");
    const error = await failure(runs());
    expect(error.code).toBe("certificate-conflict");
    expect(error.message).toContain("does not match its private key");
    await clean(node.name);
    expect((await runs()).outputs.result).toMatch(/changed/);
  });

  test("with a resource that fails names it, with its reason", async () => {
    const error = await failure(runs({ parameters: { ntp_servers: "10.91.0.1" } }));
    expect(error.code).toBe("resources-failed");
    expect(error.message).toContain("Package[chrony]");
    expect(error.message).toContain("testbed_base/manifests/time.pp");
  });

  test("for a role that no module has fails with what the master says", async () => {
    const error = await failure(runs({ role: "nonsense" }));
    expect(error.code).toBe("no-catalog");
    expect(error.message).toContain("No role is called 'nonsense'");
  });

  test("of an agent that was switched off", async () => {
    await on(node.address, "puppet agent --disable suite");
    try {
      expect((await failure(runs())).code).toBe("disabled");
    } finally {
      await on(node.address, "puppet agent --enable");
    }
  });

  test.each([
    ["management-server", "Package[cloudstack-management]"],
    ["kvm-host", "Package[cloudstack-agent]"],
  ])("of our modules as %s, without touching anything, would do what the role needs", async (role, resource) => {
    const facts = `testbed_role=${role}\ntestbed_packages=http://10.91.0.1/packages\ntestbed_management_address=10.91.0.41\n`;
    await on(node.address, 'printf %s "$1" >/etc/facter/facts.d/testbed.txt', facts);
    const { status, stdout, stderr } = await on(node.address, "puppet agent --test --noop --color=false --detailed-exitcodes");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`${resource}/ensure: current_value 'purged', should be 'present' (noop)`);
    expect(stdout).not.toMatch(/^Error:/m);
  });
});

test("deleting takes the modules and the certificate away", async () => {
  await drop(modules, modulesInputs, patient());
  expect((await on(master.address, "ls /etc/puppet/code/environments/production/modules")).stdout).toBe("");
  await drop(certificate, { server, master: master.name, certname: node.name, generation: "x" }, patient());
  expect((await command("puppetserver", "ca", "list", "--certname", node.name)).says).toContain("Missing Certificates:");
});
