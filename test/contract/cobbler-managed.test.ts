// Cobbler where it manages DHCP and DNS itself and not every account may write; and behind HTTPS.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { distro, profile, system, template, templateDigest } from "../../providers/cobbler/index.ts";
import { Cobblerd } from "../support/cobblerd.ts";
import { apply, drop, failure, labCredentials, observed, ours, testContext } from "../support/context.ts";
import { type Properties, ProviderProcess, partialState, providerText } from "../support/provider-process.ts";
import { TlsDoor } from "../support/tls.ts";
import { Wire } from "../support/wire.ts";

const daemon = new Cobblerd(25253, { manage_dhcp: true, manage_dhcp_v4: true, restart_dhcp: false });
daemon.allowOnly("cobbler", { guest: "guest-password" });
const folder = mkdtempSync(join(tmpdir(), "cobbler-managed-"));
const source = join(folder, "answers");
writeFileSync(source, "echo installed\n");
let wire: Wire;

const server = () => ({ url: wire.url });
const boot = { kernel: "/srv/lab/distro/hv/vmlinuz", initrd: "/srv/lab/distro/hv/initrd.img" };
const aDistro = () => ({ server: server(), name: "d", breed: "redhat", osVersion: "rhel8", ...boot });
const aProfile = () => ({ server: server(), name: "p", distro: "d", autoinstall: "t.sh" });
const aTemplate = () => ({ server: server(), name: "t.sh", source, sha256: templateDigest("echo installed\n"), kind: "shell" as const });
const macOf = (number: number) => `52:54:00:93:00:${number}`;
const aSystem = (number: number) => ({
  server: server(),
  name: `m${number}`,
  profile: "p",
  hostname: `m${number}.lab.test`,
  gateway: "10.91.0.1",
  interfaces: [
    { name: "eth0", mac: macOf(number), address: `10.91.0.${number}`, netmask: "255.255.255.0", dnsName: `m${number}.lab.test` },
  ],
});

beforeAll(async () => {
  await daemon.start();
  wire = await Wire.to(daemon.url);
  await apply(template, aTemplate());
  await apply(distro, aDistro());
  await apply(profile, aProfile());
});
afterEach(() => {
  daemon.mendTrigger();
  wire.reset();
});
afterAll(async () => {
  await wire.close();
  await daemon.remove();
  rmSync(folder, { recursive: true });
});

describe("where cobbler manages DHCP", () => {
  test("a system has its entry once it is saved", async () => {
    await apply(system, aSystem(11));
    expect(daemon.dhcpConfiguration()).toContain(macOf(11));
  });

  test("removed systems lose their entries by one sync that they share", async () => {
    const all = [21, 22, 23, 24].map(aSystem);
    for (const one of all) await apply(system, one);
    wire.reset();
    await Promise.all(all.map((one) => drop(system, one)));
    expect(daemon.dhcpConfiguration()).not.toContain(macOf(21));
    expect(daemon.dhcpConfiguration()).not.toContain(macOf(24));
    // The first may have begun before the last was removed; then there is one more for the rest.
    expect(wire.count("background_sync")).toBeLessThanOrEqual(2);
  });

  test("a removal whose sync failed is finished by the next removal of the absent system", async () => {
    await apply(system, aSystem(31));
    daemon.breakTrigger();
    expect((await failure(drop(system, aSystem(31)))).code).toBe("sync-failed");
    expect(daemon.dhcpConfiguration()).toContain(macOf(31));
    daemon.mendTrigger();
    expect(await drop(system, aSystem(31))).toEqual([]);
    expect(daemon.dhcpConfiguration()).not.toContain(macOf(31));
  });
});

describe("an account without rights", () => {
  const guest = () => testContext(ours, { ...labCredentials, guest: { user: "guest", password: "guest-password" } });
  const asGuest = () => ({ url: wire.url, credential: "guest" });

  test("is refused each write, with what to do", async () => {
    const error = await failure(apply(system, { ...aSystem(41), server: asGuest() }, guest()));
    expect([error.kind, error.code]).toEqual(["refused", "not-authorised"]);
    expect(error.message).toContain("authorization");
  });

  test("has left nothing behind", async () => {
    expect(await observed(system, aSystem(41))).toBeUndefined();
  });
});

describe("through Pulumi's provider process", () => {
  let provider: ProviderProcess;
  let stubText: string;
  const project = join(folder, "project");

  beforeAll(async () => {
    const checkout = join(import.meta.dirname, "../..");
    mkdirSync(project);
    for (const name of ["providers", "node_modules", "package.json"]) symlinkSync(join(checkout, name), join(project, name));
    stubText = providerText("cobbler:System");
    provider = await ProviderProcess.start(project);
    await provider.configure({ "cloudstack-testbed:credentials": JSON.stringify(labCredentials), "cloudstack-testbed:limits": "{}" });
  });
  afterAll(() => provider.stop());

  const properties = (number: number, more: Properties = {}): Properties => ({
    ...aSystem(number),
    adopt: false,
    nameServers: [],
    kernelOptions: {},
    autoinstallMeta: {},
    ...more,
    __urn: `urn:pulumi:contract::cloudstack-testbed::pulumi-nodejs:dynamic/cobbler:System::m${number}`,
    __owner: `${ours.project}/${ours.stack}/${ours.owner}`,
    __provider: stubText,
  });

  test("a create that fails after the save keeps the system in the state, and the update that follows finishes it", async () => {
    daemon.breakTrigger();
    const error = await provider.create(properties(51)).catch((thrown: unknown) => thrown);
    const partial = partialState(error);
    expect(partial?.id).toBe("system/m51");
    expect(partial?.reasons.join()).toContain("trigger failed");
    expect(daemon.bootFile(`pxelinux.cfg/01-${macOf(51).replaceAll(":", "-")}`)).toBeUndefined();

    daemon.mendTrigger();
    await provider.update("system/m51", { ...partial?.properties }, properties(51));
    expect(daemon.bootFile(`pxelinux.cfg/01-${macOf(51).replaceAll(":", "-")}`)).toBeDefined();
  });

  test("a create that the server refuses half-way is in the state without an object, and its removal succeeds", async () => {
    const error = await provider.create(properties(52, { profile: "never-made" })).catch((thrown: unknown) => thrown);
    const partial = partialState(error);
    expect(partial?.reasons.join()).toContain('"never-made" is not existing');
    expect(await observed(system, aSystem(52))).toBeUndefined();
    await provider.remove("system/m52", { ...partial?.properties });
  });

  test("the password is in none of what it says or keeps", async () => {
    const made = await provider.create(properties(53));
    expect(JSON.stringify(made)).not.toContain(labCredentials.cobbler?.password);
    const journal = readFileSync(join(project, ".testbed/contract/journal.jsonl"), "utf8");
    expect(journal).toContain("m53");
    expect(journal).not.toContain(labCredentials.cobbler?.password);
  });
});

describe("behind HTTPS", () => {
  let door: TlsDoor;
  beforeAll(async () => {
    door = await TlsDoor.before(daemon.port);
  });
  afterAll(() => door.close());
  const secure = (tlsFingerprint: string) => ({ url: door.url, tlsFingerprint });

  test("the pinned certificate is accepted, and the object is made", async () => {
    const given = { ...aSystem(61), server: secure(door.fingerprint) };
    expect((await apply(system, given)).phases).toEqual(["creating"]);
    expect(await observed(system, aSystem(61))).toBeDefined();
  });

  test("another certificate is refused before anything is sent, with both fingerprints", async () => {
    const earlier = door.requests;
    const pin = createHash("sha256").update("another").digest("hex");
    const error = await failure(apply(system, { ...aSystem(62), server: secure(pin) }));
    expect([error.kind, error.code]).toEqual(["refused", "certificate"]);
    expect(error.message).toContain(pin);
    expect(error.message).toContain(door.fingerprint);
    expect(door.requests).toBe(earlier);
  });

  test("an unknown authority is refused where nothing is pinned", async () => {
    const error = await failure(apply(system, { ...aSystem(63), server: { url: door.url } }));
    expect([error.kind, error.code]).toEqual(["refused", "certificate"]);
  });
});
