// puppet:Run on a light host of the lab: a role given, every way in which a run can fail and what the operator is told, and that the next
// attempt heals it.
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { host } from "../../providers/baremetal/index.ts";
import { endInstall } from "../../providers/cobbler/index.ts";
import { certificate, modules, modulesDigest, run } from "../../providers/puppet/index.ts";
import type { RunInputs, RunOutputs } from "../../providers/puppet/run.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, labCredentials, observed, ours, testContext } from "../support/context.ts";
import { fault, switchPower } from "../support/lab.ts";
import { LightHost } from "../support/light-host.ts";
import { askForCertificate, driver, listed, master, onHost } from "../support/puppet.ts";

const machine = new LightHost("h13");
const address = "10.91.0.13";
const certname = "h13.lab.test";
const source = join(import.meta.dirname, "../../appliance");
const modulesInputs = {
  server: driver,
  source,
  digest: modulesDigest(source),
  modulesDirectory: "/srv/puppet/environments/production/modules",
};
const aCertificate = { server: driver, master, certname, generation: "1" };
let given: Partial<RunInputs>;
let generation = 0;

/** Starts what looks like a run of the agent that somebody else started. @returns what ends it */
async function otherAgent(): Promise<() => Promise<void>> {
  const script =
    "mkdir -p $1; sh -c 'echo $$ >\"$1\"; exec sleep 300' run $1/agent_catalog_run.lock >/dev/null 2>&1 & until [ -s $1/agent_catalog_run.lock ]; do usleep 20000; done; cat $1/agent_catalog_run.lock";
  const pid = (await onHost(address, script, "/var/lib/puppet/state")).stdout.trim();
  // By its own number: by the time of a second call the lock may be our run's.
  return async () => void (await onHost(address, 'kill "$1" 2>/dev/null || true', pid));
}

/** A run that was not there before. */
const runs = (change: Partial<RunInputs> = {}, context = testContext()) =>
  apply(run, { ...given, generation: `${++generation}`, ...change }, context);
const says = async (file: string) => (await onHost(address, 'cat "$1"', file)).stdout.trim();
const undo = "rm -rf /etc/testbed-role /etc/facter /etc/cloudstack-testbed /var/lib/cloudstack-testbed /var/lib/puppet/state";

beforeAll(async () => {
  await fault("h13", "clear");
  await machine.prepare();
  const { outputs } = await apply(host, { ...machine.inputs, generation: "puppet" }, testContext());
  given = {
    node: { address, user: "root", hostKey: outputs.hostKey, credential: "hosts" },
    certname,
    server: master,
    role: "kvm-host",
    installs: outputs.tokenFingerprint,
    runSeconds: 20,
    waitSeconds: 10,
  };
  await apply(modules, modulesInputs);
  await apply(certificate, aCertificate);
});

beforeEach(async () => void (await onHost(address, undo)));
afterEach(async () => {
  await fault("h13", "clear");
  await fault("puppetserver", "clear");
});

afterAll(async () => {
  await drop(certificate, aCertificate);
  await drop(modules, modulesInputs);
  await switchPower("h13", "off");
  await endInstall(testContext(), machine.inputs.cobbler as never, "h13");
  await machine.remove();
  await closeSharedSsh();
});

test("a machine gets its role, with facts and credentials that only its root reads", async () => {
  const context = testContext(ours, { ...labCredentials, database: { password: "s3cr et'\n", admin: "x" } });
  const parameters = { packages: "http://10.91.0.1/packages", ssh_key: "ssh-ed25519 AAAA a b" };
  const { outputs, phases } = await runs({ parameters, credentials: ["database"] }, context);
  expect(outputs).toMatchObject({ result: "changed", changed: 12 });
  expect(phases.at(-1)).toBe("puppet run changed: 12 resources changed");
  expect(await says("/etc/testbed-role")).toBe("kvm-host");
  expect(await says("/etc/facter/facts.d/testbed.txt")).toBe(
    "testbed_role=kvm-host\ntestbed_packages=http://10.91.0.1/packages\ntestbed_ssh_key=ssh-ed25519 AAAA a b",
  );
  const folder = "/etc/cloudstack-testbed/credentials/database";
  const { stdout } = await onHost(address, 'stat -c "%a %U" "$1" "$1/password" && cat "$1/password"', folder);
  expect(stdout).toBe("700 root\n600 root\ns3cr et'\n");
  expect(phases.join()).not.toContain("s3cr");
});

describe("once per installation", () => {
  test("nothing that changed: no run", async () => {
    const { outputs } = await runs();
    const state = { ...run.inputs.parse({ ...given, generation: `${generation}` }), ...outputs } as RunInputs & RunOutputs;
    const { outputs: again, phases } = await apply(run, { ...given, generation: `${generation}` }, testContext(), state);
    expect([again, phases]).toEqual([outputs, []]);
  });

  test("a run whose state was lost is known by the machine itself", async () => {
    const { outputs } = await runs();
    const { outputs: again, phases } = await apply(run, { ...given, generation: `${generation}` });
    expect([again.ran, phases]).toEqual([outputs.ran, []]);
  });

  test.each([
    ["role", { role: "base" }],
    ["parameter", { parameters: { ntp_servers: "10.91.0.1" } }],
    ["set of modules", { modules: "new" }],
    ["installation", { installs: "another" }],
  ])("another %s: another run", async (_, change) => {
    const { outputs } = await runs();
    const { outputs: again } = await apply(run, { ...given, generation: `${generation}`, ...change });
    expect(again.ran).not.toBe(outputs.ran);
    expect(again.result).toBe("changed");
  });

  test("a machine wiped behind our back is drift, and runs again", async () => {
    const { outputs } = await runs();
    await onHost(address, undo);
    const inputs = run.inputs.parse({ ...given, generation: `${generation}` }) as unknown as RunInputs;
    const seen = await run.observe({ ...testContext(), operation: "read" }, inputs, outputs);
    expect(seen?.inputs).toEqual({ role: "none" });
    expect(await observed(run, { ...given, generation: `${generation}` })).toBeUndefined();
  });

  test("a machine that is off keeps its state, with a warning", async () => {
    const inputs = run.inputs.parse({ ...given, generation: "1", node: { ...given.node, address: "10.91.0.199" } }) as unknown as RunInputs;
    const known = { ran: "x", result: "changed", changed: 1, reportedAt: "" };
    const context = { ...testContext(), operation: "read" as const };
    expect((await run.observe(context, inputs, known))?.outputs).toEqual(known);
    expect(context.phases.join()).toContain("cannot be looked at");
  });
});

describe("an agent that runs already", () => {
  test("is waited for", async () => {
    const end = await otherAgent();
    const context = testContext();
    const phase = (text: string) => {
      context.phase(text);
      if (text === "waiting for a run of the agent that is going on") void end();
    };
    const { outputs } = await runs({ waitSeconds: 60 }, { ...context, phase });
    expect(context.phases).toContain("waiting for a run of the agent that is going on");
    expect(outputs.result).toBe("changed");
  });

  test("that begins between our question and our run is waited for, too", async () => {
    await fault("h13", "agent-running", "2");
    const { outputs } = await runs();
    expect(outputs.result).toBe("changed");
  });

  test("and does not end is named with its process", async () => {
    const end = await otherAgent();
    const error = await failure(runs({ waitSeconds: 1 }));
    await end();
    expect(error.kind).toBe("timeout");
    expect(error.message).toMatch(/waited 1 s for the run of the agent that is going on to end; last seen: the agent runs as process \d+/);
  });

  test("left its lock behind: that does not count", async () => {
    await onHost(address, "mkdir -p /var/lib/puppet/state; echo 4194000 >/var/lib/puppet/state/agent_catalog_run.lock");
    expect((await runs()).outputs.result).toBe("changed");
  });
});

describe("a failing run", () => {
  /** What the operator reads, that no role was given, and that the next `up` heals it. */
  async function failsAndHeals(change: Partial<RunInputs> = {}) {
    const error = await failure(runs(change));
    expect(await says("/var/lib/cloudstack-testbed/puppet-run/done")).toBe("");
    await fault("h13", "clear");
    await fault("puppetserver", "clear");
    const { outputs } = await apply(run, { ...given, generation: `${generation}` });
    expect(outputs.result).toBe("changed");
    return error;
  }

  test("lists the resources that failed, why, and where they are declared", async () => {
    await fault("h13", "run-fails");
    const error = await failsAndHeals();
    expect([error.kind, error.code]).toEqual(["refused", "resources-failed"]);
    expect(error.message).toContain("2 of its resources failed (status 6)");
    expect(error.message).toContain(
      "Package[cloudstack-agent] (testbed_kvm/manifests/agent.pp:14): change from 'absent' to 'present' failed: Could not find package cloudstack-agent",
    );
    expect(error.message).toContain("Service[libvirtd]");
  });

  test("that never ends is ended by the machine at the limit, with what it said last", async () => {
    await fault("h13", "run-hangs");
    const error = await failsAndHeals({ runSeconds: 2 });
    expect([error.kind, error.code]).toEqual(["timeout", "never-ends"]);
    expect(error.message).toContain("did not end within 2 s");
    expect(error.message).toContain("Exec[testbed_packages: refresh]: running");
  });

  test("leaves no process behind when it was ended", async () => {
    await fault("h13", "run-hangs");
    await failure(runs({ runSeconds: 1 }));
    expect((await onHost(address, "ps | grep '[/]usr/bin/puppet agent'")).stdout).toBe("");
  });

  test("for a certificate of an earlier installation says what cleans it", async () => {
    await fault("h13", "certificate-conflict");
    const error = await failsAndHeals();
    expect([error.kind, error.code]).toEqual(["conflict", "certificate-conflict"]);
    expect(error.message).toContain("does not match its private key");
  });

  test("for such a certificate is done again where the CA is given: the certificate is cleaned first", async () => {
    await runs();
    await onHost(address, "rm -rf /var/lib/puppet/ssl");
    const { outputs, phases } = await runs({ ca: driver });
    expect(phases).toContain("cleaning the certificate of the machine's old key");
    expect([outputs.result, (await says("/var/lib/puppet/ssl/certs/h13.lab.test.pem")).split(" ")[0]]).toEqual(["changed", "signed"]);
  });

  test("for a certificate that was cleaned under a machine that stayed says so", async () => {
    await runs();
    await apply(certificate, { ...aCertificate, generation: `by-hand-${generation}` });
    const error = await failure(runs());
    expect(error.code).toBe("certificate-revoked");
    await onHost(address, "rm -rf /var/lib/puppet/ssl");
    await apply(certificate, { ...aCertificate, generation: `again-${generation}` });
    expect((await runs()).outputs.result).toBe("changed");
  });

  test("for a certificate that nobody signs says how to sign", async () => {
    await onHost(address, "rm -rf /var/lib/puppet/ssl");
    await apply(certificate, { ...aCertificate, generation: `unsigned-${generation}` });
    await fault("puppetserver", "no-autosign");
    const error = await failure(runs());
    expect([error.kind, error.code]).toEqual(["refused", "not-signed"]);
    expect(await listed(certname)).toContain("Requested Certificates:");
    await fault("puppetserver", "clear");
    await apply(certificate, { ...aCertificate, generation: `signed-${generation}` });
    expect((await runs()).outputs.result).toBe("changed");
  });

  test("of a master that is down is told apart", async () => {
    await fault("puppetserver", "killed");
    const error = await failsAndHeals();
    expect([error.kind, error.code]).toEqual(["unreachable", "master-unreachable"]);
  });

  test("of a master that compiles nothing says what it said", async () => {
    await fault("h13", "catalog-fails");
    const error = await failsAndHeals();
    expect([error.kind, error.code]).toEqual(["refused", "no-catalog"]);
    expect(error.message).toContain("Unknown resource type: 'testbed'");
  });

  test("for a role that no module has", async () => {
    expect((await failure(runs({ role: "nonsense" }))).message).toContain("No role is called 'nonsense'");
  });

  test("of an agent that was switched off says how to switch it on", async () => {
    await onHost(address, "mkdir -p /var/lib/puppet/state; touch /var/lib/puppet/state/agent_disabled.lock");
    expect((await failure(runs())).code).toBe("disabled");
  });

  test("that was cut off is told, and done again", async () => {
    await fault("h13", "run-hangs");
    const failing = failure(runs());
    const kill = 'until pid=$(cat /var/lib/cloudstack-testbed/puppet-run/pid 2>/dev/null); do usleep 20000; done; kill -KILL -- -"$pid"';
    await onHost(address, kill);
    expect((await failing).code).toBe("run-lost");
    await fault("h13", "clear");
    expect((await runs()).outputs.result).toBe("changed");
  });

  test("without an agent on the machine says so", async () => {
    await onHost(address, "mv /usr/bin/puppet /usr/bin/puppet.away");
    try {
      expect((await failure(runs())).message).toContain("there is no puppet agent on this machine");
    } finally {
      await onHost(address, "mv /usr/bin/puppet.away /usr/bin/puppet");
    }
  });

  test("whose report is missing does not count as good", async () => {
    await onHost(
      address,
      'mv /usr/bin/puppet /usr/bin/puppet.away; printf "#!/bin/sh\\nexit 0\\n" >/usr/bin/puppet; chmod 755 /usr/bin/puppet',
    );
    try {
      expect((await failure(runs())).code).toBe("no-report");
    } finally {
      await onHost(address, "mv /usr/bin/puppet.away /usr/bin/puppet");
    }
  });
});

test("the run of an `up` that was cut off is waited for, not started twice", async () => {
  await fault("h13", "run-hangs");
  const aborted = new AbortController();
  const context = { ...testContext(), signal: aborted.signal };
  const cut = runs({ runSeconds: 5 }, context).catch((error: unknown) => error);
  await onHost(address, "until [ -s /var/lib/cloudstack-testbed/puppet-run/pid ]; do usleep 20000; done");
  aborted.abort(new Error("cut"));
  expect(await cut).toBeInstanceOf(Error);
  const first = await says("/var/lib/cloudstack-testbed/puppet-run/pid");
  const error = await failure(apply(run, { ...given, generation: `${generation}`, runSeconds: 5 }));
  expect(error.code).toBe("never-ends");
  expect(await says("/var/lib/cloudstack-testbed/puppet-run/pid")).toBe(first);
});

test("a certificate's clean waits for the agent of the machine, and gives up with its process named", async () => {
  await askForCertificate("wait.lab.test", "old");
  const end = await otherAgent();
  const inputs = { ...aCertificate, certname: "wait.lab.test", node: { address, user: "root", credential: "hosts" } };
  const error = await failure(apply(certificate, { ...inputs, agentSeconds: 1 }));
  expect(error.message).toMatch(/its agent runs as process \d+/);
  expect(await askForCertificate("wait.lab.test", "old")).toBe("signed old");
  const cleaning = apply(certificate, { ...inputs, agentSeconds: 60 });
  await end();
  expect((await cleaning).phases).toContain("certificate cleaned");
  await drop(certificate, inputs);
});
