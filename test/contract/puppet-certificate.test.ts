// puppet:Certificate against the lab's puppet CA: every row of `puppetserver ca clean` (dnsmasq-nfs-puppet facts C2), the ways of older
// and of bare drivers, and what the operator is told when the CA cannot or may not.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { forgetSession } from "../../providers/kernel/index.ts";
import type { CertificateInputs } from "../../providers/puppet/certificate.ts";
import { certificate } from "../../providers/puppet/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, ours, testContext, theirs } from "../support/context.ts";
import { onDriver } from "../support/driver-shell.ts";
import { fault } from "../support/lab.ts";
import { askForCertificate, driver, listed, master } from "../support/puppet.ts";

let number = 0;
let given: Partial<CertificateInputs>;
let name: string;
const again = (generation: string, change: Partial<CertificateInputs> = {}) => apply(certificate, { ...given, generation, ...change });
/** What the driver has is looked up once per process. */
const lookAnew = () => forgetSession(`puppet CA ${driver.address}`);

beforeEach(() => {
  name = `c${++number}.lab.test`;
  given = { server: driver, master, certname: name, generation: "1", installs: "a", serverSeconds: 3, agentSeconds: 3 };
});

afterEach(async () => {
  await fault("puppetserver", "clear");
  lookAnew();
  await drop(certificate, given);
});

afterAll(closeSharedSsh);

describe.each([
  ["puppetserver ca", undefined],
  ["puppet cert", "release-3"],
  ["http api", "api-only"],
])("by %s", (way, kind) => {
  beforeEach(async () => {
    if (kind) await fault("puppetserver", kind);
    lookAnew();
  });

  test("a signed certificate is revoked and gone, and the machine's new key gets one", async () => {
    await askForCertificate(name, "old");
    const { outputs } = await again("1");
    expect(outputs).toEqual({ cleanedFor: "1 a", way });
    expect(await askForCertificate(name, "new")).toBe("signed new");
  });

  test("a mere request is gone, though the command's status is not 0", async () => {
    await fault("puppetserver", "no-autosign");
    expect(await askForCertificate(name, "old")).toBe("requested old");
    expect((await again("1")).phases).toContain("certificate cleaned");
    expect(await askForCertificate(name, "new")).toBe("requested new");
  });

  test("a name that the CA does not know is clean already", async () => {
    expect((await again("1")).phases).toContain("there was no certificate");
  });

  test("the certificates of other machines stay", async () => {
    await askForCertificate(`x${name}`, "theirs");
    await askForCertificate(name, "old");
    await again("1");
    expect(await askForCertificate(`x${name}`, "mine")).toBe("signed theirs");
  });
});

test.each(["puppetserver ca", "http api"])("a CA that is down is waited for, and then named, by %s", async (way) => {
  if (way === "http api") await fault("puppetserver", "api-only");
  lookAnew();
  await fault("puppetserver", "killed");
  const error = await failure(again("1"));
  expect([error.kind, error.object]).toEqual(["timeout", `certificate ${name}`]);
  expect(error.message).toContain("waited 3 s for the puppet CA to answer");
  expect(error.message).toMatch(/Failed connecting to|Failed to connect|code 000/);
  expect(await onDriver('ls "$1" 2>/dev/null; exit 0', `/var/lib/cloudstack-testbed/puppet/${name}`)).toBe("");
});

test("a CA that comes back in time cleans", async () => {
  await askForCertificate(name, "old");
  await fault("puppetserver", "killed");
  const cleaning = again("1", { serverSeconds: 60 });
  await fault("puppetserver", "clear");
  expect((await cleaning).phases).toContain("certificate cleaned");
});

test.each(["puppetserver ca", "http api"])(
  "a CA that forbids the driver's own certificate is an error with its remedy, by %s",
  async (way) => {
    if (way === "http api") await fault("puppetserver", "api-only");
    lookAnew();
    await askForCertificate(name, "old");
    await fault("puppetserver", "forbidden");
    const error = await failure(again("1"));
    expect([error.kind, error.code]).toEqual(["refused", "forbidden"]);
    expect(error.message).toContain("pp_cli_auth");
    expect(await askForCertificate(name, "old")).toBe("signed old");
  },
);

test("a driver without any puppet is named", async () => {
  await fault("puppetserver", "api-only");
  await onDriver("mv /var/lib/puppet/ssl/certs/ca.pem /var/lib/puppet/ssl/certs/away.pem");
  lookAnew();
  try {
    expect((await failure(again("1"))).code).toBe("no-puppet");
  } finally {
    await onDriver("mv /var/lib/puppet/ssl/certs/away.pem /var/lib/puppet/ssl/certs/ca.pem");
  }
});

describe("once per installation", () => {
  test("the same generation again leaves the machine's new certificate alone", async () => {
    await again("1");
    await askForCertificate(name, "new");
    const { phases } = await again("1");
    expect(phases).toEqual([]);
    expect(await listed(name)).toContain("Signed Certificates:");
  });

  test.each([
    ["generation", { generation: "2" }],
    ["fingerprint of what is installed", { installs: "b" }],
  ])("a new %s cleans again", async (_, change) => {
    await again("1");
    await askForCertificate(name, "old");
    await apply(certificate, { ...given, ...change });
    expect(await listed(name)).toContain("Missing Certificates:");
  });

  test("a failed clean is done again by the next attempt", async () => {
    await askForCertificate(name, "old");
    await fault("puppetserver", "forbidden");
    await failure(again("1"));
    await fault("puppetserver", "clear");
    expect((await again("1")).phases).toContain("certificate cleaned");
  });

  test("deleting cleans, and forgets for what it was", async () => {
    await again("1");
    await askForCertificate(name, "new");
    await drop(certificate, given);
    expect(await listed(name)).toContain("Missing Certificates:");
    await askForCertificate(name, "old");
    expect((await again("1")).phases).toContain("certificate cleaned");
  });
});

describe("refused", () => {
  test.each([
    ["of the master, as the input names it", master, {}],
    ["of the driver, whatever the input names", master, { master: "other.lab.test" }],
  ])("the certificate %s", async (_, certname, change) => {
    const error = await failure(apply(certificate, { ...given, certname, ...change }));
    expect([error.kind, error.code]).toEqual(["invalid", "own-certificate"]);
  });

  test.each(["*.lab.test", "--all", "a.lab.test,b.lab.test", "Upper.lab.test", "short", "a.lab.test;reboot", "../ca.pem", "a..test"])(
    "the name %j, before anything is asked",
    (certname) => {
      expect(certificate.inputs.safeParse({ ...given, certname }).success).toBe(false);
    },
  );

  test("another stack's, which also outlives our delete", async () => {
    await apply(certificate, given, testContext(theirs));
    const error = await failure(apply(certificate, given, testContext(ours)));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    await askForCertificate(name, "theirs");
    expect((await drop(certificate, given, testContext(ours))).join()).toContain("left alone");
    expect(await listed(name)).toContain("Signed Certificates:");
    await drop(certificate, given, testContext(theirs));
  });
});

test("twenty machines at once are cleaned one after the other, each its own", async () => {
  const names = [...Array(20).keys()].map((index) => `many${index}.lab.test`);
  await Promise.all(names.map((one) => askForCertificate(one, "old")));
  const all = await Promise.all(names.map((certname) => apply(certificate, { ...given, certname })));
  expect(all.every(({ phases }) => phases.includes("certificate cleaned"))).toBe(true);
  await Promise.all(names.map((certname) => drop(certificate, { ...given, certname })));
});
