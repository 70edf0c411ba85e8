// Every cobbler resource against the real cobblerd of the lab.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CobblerClient } from "../../providers/cobbler/client.ts";
import {
  beginInstall,
  distro,
  installState,
  profile,
  renderAnswerFile,
  sync,
  system,
  template,
  templateDigest,
} from "../../providers/cobbler/index.ts";
import { apply, drop, failure, labCredentials, observed, ours, testContext, theirs } from "../support/context.ts";

const server = { url: "http://10.91.0.1/cobbler_api", credential: "cobbler" };
const folder = mkdtempSync(join(tmpdir(), "cobbler-contract-"));
const text = 'token="$getVar("install_token", "")"\n';
const source = join(folder, "answers");
const aTemplate = { server, name: "contract.sh", source, sha256: templateDigest(text), kind: "shell" as const };
const aDistro = {
  server,
  name: "contract-distro",
  breed: "redhat",
  osVersion: "rhel8",
  kernel: "/srv/lab/distro/hv/vmlinuz",
  initrd: "/srv/lab/distro/hv/initrd.img",
};
const aProfile = { server, name: "contract-profile", distro: aDistro.name, autoinstall: aTemplate.name, autoinstallMeta: { image: "hv" } };
const unbonded = { type: "na" as const, master: "", bondingOptions: "", bridgeOptions: "" };
const nic = {
  ...unbonded,
  name: "eth0",
  mac: "52:54:00:91:99:01",
  address: "10.91.0.201",
  netmask: "255.255.255.0",
  dnsName: "c1.lab.test",
};
const aSystem = {
  server,
  name: "contract-c1",
  profile: aProfile.name,
  hostname: "c1.lab.test",
  gateway: "10.91.0.1",
  nameServers: ["10.91.0.1"],
  interfaces: [nic],
};
const client = () => new CobblerClient(testContext(), server);

beforeAll(async () => {
  writeFileSync(source, text);
  await apply(template, aTemplate);
  await apply(distro, aDistro);
  await apply(profile, aProfile);
  await apply(system, aSystem);
});

afterAll(async () => {
  await drop(system, aSystem);
  await drop(profile, aProfile);
  await drop(distro, aDistro);
  await drop(template, aTemplate);
  rmSync(folder, { recursive: true });
});

describe.each([
  ["Distro", distro, aDistro, "distro", { kernelOptions: { quiet: "" } }],
  ["Profile", profile, aProfile, "profile", { autoinstallMeta: { image: "os" } }],
  ["System", system, aSystem, "system", { gateway: "10.91.0.2" }],
] as const)("%s", (_, definition, inputs, kind, change) => {
  // The three definitions differ only in their inputs, which a table cannot type.
  const any = definition as unknown as typeof distro;
  const given = inputs as unknown as typeof aDistro;

  test("applied again writes nothing", async () => {
    const again = await apply(any, given);
    expect(again.phases).toEqual([]);
  });

  test("shows no drift right after it was made", async () => {
    expect(await observed(any, given)).toMatchObject(inputs.name === aSystem.name ? { interfaces: [nic] } : {});
    const seen = (await observed(any, given)) as Record<string, unknown>;
    for (const [key, value] of Object.entries(seen))
      if (key in given) expect([key, value]).toEqual([key, (given as Record<string, unknown>)[key]]);
  });

  test("a changed input is written alone, and read back", async () => {
    const changed = { ...given, ...change } as typeof given;
    const { phases } = await apply(any, changed);
    expect(phases).toHaveLength(1);
    expect(phases[0]).toMatch(/^changing \w+$/);
    expect(await observed(any, changed)).toMatchObject(change);
    await apply(any, given);
  });

  test("a change by hand is seen and mended", async () => {
    const key = kind === "distro" ? "breed" : kind === "profile" ? "kernel_options" : "hostname";
    await client().save(
      kind,
      given.name,
      [[key, kind === "distro" ? "suse" : kind === "profile" ? { by: "hand" } : "other.lab.test"]],
      "edit",
    );
    const { phases } = await apply(any, given);
    expect(phases[0]).toContain(`changing ${key}`);
  });

  test("is refused to another owner, who is told whose it is", async () => {
    const error = await failure(apply(any, given, testContext(theirs)));
    expect(error.kind).toBe("conflict");
    expect(error.message).toContain(`belongs to cloudstack-testbed:${ours.project}/${ours.stack}/${ours.owner}`);
  });

  test("is left alone when another owner deletes it", async () => {
    expect((await drop(any, given, testContext(theirs))).join()).toContain("was left alone");
    expect(await client().get(kind, given.name)).toBeDefined();
  });

  test("made by hand is refused, and taken over only on request", async () => {
    await client().save(kind, given.name, [["comment", "made by hand"]], "edit");
    expect((await failure(apply(any, given))).message).toContain("was not made by this stack");
    await apply(any, { ...given, adopt: true });
    expect(String((await client().get(kind, given.name))?.comment)).toMatch(/^made by hand cloudstack-testbed:/);
  });

  test("deleting an absent one succeeds", async () => {
    expect(await drop(any, { ...given, name: "never-made" })).toEqual([]);
  });

  test("with a wrong password is refused without another try", async () => {
    const wrong = testContext(ours, { ...labCredentials, wrong: { user: "cobbler", password: "wrong" } });
    // A token is shared by URL and credential: this address makes a session of its own.
    const error = await failure(apply(any, { ...given, server: { url: server.url, credential: "wrong" } } as typeof given, wrong));
    expect([error.kind, error.code]).toEqual(["refused", "login-failed"]);
  });
});

test("a distro whose kernel is not on the server is refused by name", async () => {
  const error = await failure(apply(distro, { ...aDistro, name: "contract-broken", kernel: "/nonexistent/vmlinuz" }));
  expect(error.message).toContain("kernel");
  await drop(distro, { ...aDistro, name: "contract-broken" });
});

test("a profile in use cannot be deleted from under its system", async () => {
  expect((await failure(drop(profile, aProfile))).code).toBe("in-use");
});

test.each([
  ["MAC", { mac: nic.mac, address: "10.91.0.202", dnsName: "c2.lab.test" }, nic.mac],
  ["address", { mac: "52:54:00:91:99:02", address: nic.address, dnsName: "c2.lab.test" }, nic.address],
  ["name", { mac: "52:54:00:91:99:02", address: "10.91.0.202", dnsName: nic.dnsName }, nic.dnsName],
])("a duplicate %s is found before anything is written", async (_, change, value) => {
  const error = await failure(apply(system, { ...aSystem, name: "contract-c2", interfaces: [{ ...nic, ...change }] }));
  expect(error.code).toBe("duplicate");
  expect(error.message).toContain(`${value} is in use by the system contract-c1`);
  expect(await client().get("system", "contract-c2")).toBeUndefined();
});

test("an interface added by hand is seen and removed, the wanted one stays", async () => {
  const byHand = { "macaddress-eth7": "52:54:00:91:99:07", "ipaddress-eth7": "10.91.0.207" };
  await client().save("system", aSystem.name, [["modify_interface", byHand]], "edit");
  expect((await observed(system, aSystem))?.interfaces?.map((one) => one.name)).toEqual(["eth0", "eth7"]);
  expect((await apply(system, aSystem)).phases).toEqual(["changing delete_interface"]);
  expect((await observed(system, aSystem))?.interfaces).toEqual([nic]);
});

describe("installation", () => {
  test("arms netboot with token and generation, which are no drift of the system", async () => {
    await beginInstall(testContext(), server, aSystem.name, { token: "t0k3n", generation: "7" });
    expect(await installState(testContext(), server, aSystem.name)).toMatchObject({
      netbootEnabled: true,
      token: "t0k3n",
      generation: "7",
    });
    expect(await observed(system, aSystem)).toMatchObject({ autoinstallMeta: {} });
    expect((await apply(system, aSystem)).phases).toEqual([]);
    expect(await installState(testContext(), server, aSystem.name)).toMatchObject({ token: "t0k3n" });
  });

  test("renders the answer file with the token and without our mark", async () => {
    const answer = await renderAnswerFile(testContext(), server, aSystem.name);
    expect(answer).toContain('token="t0k3n"');
    expect(answer).not.toContain("cloudstack-testbed");
  });

  test("of another owner's system is refused", async () => {
    expect((await failure(beginInstall(testContext(theirs), server, aSystem.name, { token: "x", generation: "1" }))).kind).toBe("conflict");
  });

  test("of a missing system is refused", async () => {
    expect((await failure(beginInstall(testContext(), server, "never-made", { token: "x", generation: "1" }))).code).toBe("missing");
  });

  test("takes an answer file that merely speaks of errors", async () => {
    const speaks = `${text}echo "the last installation had errors"\n`;
    writeFileSync(source, speaks);
    await apply(template, { ...aTemplate, sha256: templateDigest(speaks) });
    expect(await renderAnswerFile(testContext(), server, aSystem.name)).toContain("had errors");
    writeFileSync(source, text);
    await apply(template, aTemplate);
  });

  test("with a broken template fails before any machine boots, with cobbler's words", async () => {
    const broken = "#if\n";
    writeFileSync(source, broken);
    await apply(template, { ...aTemplate, sha256: templateDigest(broken) });
    expect((await failure(renderAnswerFile(testContext(), server, aSystem.name))).code).toBe("template-error");
    writeFileSync(source, text);
    await apply(template, aTemplate);
  });
});

describe("Template", () => {
  test("applied again writes nothing", async () => {
    expect((await apply(template, aTemplate)).phases).toEqual([]);
  });

  test("a change by hand shows as another digest", async () => {
    await client().writeText("template", aTemplate.name, `## cloudstack-testbed:${ours.project}/${ours.stack}/${ours.owner}\nby hand\n`);
    expect(await observed(template, aTemplate)).toEqual({ sha256: templateDigest("by hand\n") });
    await apply(template, aTemplate);
    expect(await observed(template, aTemplate)).toEqual({ sha256: aTemplate.sha256 });
  });

  test("is refused to another owner", async () => {
    expect((await failure(apply(template, aTemplate, testContext(theirs)))).kind).toBe("conflict");
  });

  test("whose file changed since the plan is refused", async () => {
    expect((await failure(apply(template, { ...aTemplate, sha256: "0".repeat(64) }))).message).toContain("changed while");
  });
});

test("syncs asked for together are one sync", async () => {
  const before = (await fullSyncs()).length;
  await Promise.all(Array.from({ length: 5 }, (_, index) => apply(sync, { server, digest: `d${index}` })));
  expect((await fullSyncs()).length - before).toBe(1);
});

async function fullSyncs(): Promise<string[]> {
  const { readdir } = await import("node:fs/promises");
  return (await readdir("/var/log/cobbler/tasks")).filter((name) => name.includes("Sync"));
}

test("a server that does not listen is unreachable, by its address", async () => {
  const error = await failure(apply(distro, { ...aDistro, server: { url: "http://10.91.0.1:1/cobbler_api", credential: "cobbler" } }));
  expect(error.kind).toBe("unreachable");
  expect(error.message).toContain("http://10.91.0.1:1/cobbler_api");
});
