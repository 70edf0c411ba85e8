// site:Lease on the lab's driver: who may touch what, and what a refused operator is told.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { CobblerClient } from "../../providers/cobbler/client.ts";
import { host as entry } from "../../providers/dnsmasq/index.ts";
import { type Mark, markText } from "../../providers/kernel/index.ts";
import { lease } from "../../providers/site/index.ts";
import type { LeaseInputs } from "../../providers/site/lease.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, observed, ours, testContext, theirs } from "../support/context.ts";
import { fullFolder, onDriver, removeFullFolder } from "../support/driver-shell.ts";
import { dnsmasq, driver, LightHost } from "../support/light-host.ts";

const directory = join(mkdtempSync(join(tmpdir(), "leases-")), "leases");
const claims = ["machine/h14", "address/10.91.0.14"];
const given = { server: driver, directory, claims };
const otherStack: Mark = { ...ours, stack: "other" };
const parsed = (inputs: object) => lease.inputs.parse(inputs) as unknown as LeaseInputs;
/** Another address under which the driver answers. */
const relayed = "127.0.0.9";
const relay = createServer((socket) => {
  const driverSide = connect(22, driver.address);
  for (const side of [socket, driverSide]) side.on("error", () => undefined);
  socket.pipe(driverSide).pipe(socket);
});
const files = () => readdirSync(directory).filter((name) => !name.startsWith("."));

beforeAll(() => new Promise<void>((resolve) => relay.listen(22, relayed, resolve)));

beforeEach(() => rmSync(directory, { recursive: true, force: true }));

afterAll(async () => {
  rmSync(join(directory, ".."), { recursive: true });
  await closeSharedSsh();
  relay.close();
});

describe("a lease", () => {
  test("claims everything at once, with the holder's mark, the time and where from", async () => {
    const { outputs } = await apply(lease, given);
    expect(files().sort()).toEqual(["address_10.91.0.14", "machine_h14"]);
    const [mark, note, claim] = readFileSync(join(directory, "machine_h14"), "utf8").trim().split("\n");
    expect([mark, claim]).toEqual([markText(ours), "machine/h14"]);
    expect(note).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z from \S+@\S+$/);
    expect(outputs.since).toMatch(/^\d{4}-/);
    expect(await observed(lease, given)).toEqual({ claims });
  });

  test("applied again after a lost state keeps its first time", async () => {
    await apply(lease, given);
    for (const file of files()) {
      const text = readFileSync(join(directory, file), "utf8");
      writeFileSync(join(directory, file), text.replace(/^\d{4}-\S+/m, "2026-01-02T03:04:05.000Z"));
    }
    expect((await apply(lease, { ...given, claims: [...claims, "machine/h13"] })).outputs.since).toBe("2026-01-02T03:04:05.000Z");
    expect(readFileSync(join(directory, "machine_h14"), "utf8")).toContain("2026-01-02T03:04:05.000Z from");
  });

  test("gives up what is no longer claimed, and claims what is new", async () => {
    await apply(lease, given);
    await apply(lease, { ...given, claims: ["machine/h14", "machine/h13"] });
    expect(files().sort()).toEqual(["machine_h13", "machine_h14"]);
  });

  test("that was removed by hand in part shows it, and is completed", async () => {
    await apply(lease, given);
    rmSync(join(directory, "machine_h14"));
    expect(await observed(lease, given)).toEqual({ claims: ["address/10.91.0.14"] });
    await apply(lease, given);
    expect(await observed(lease, given)).toEqual({ claims });
  });

  test("that moves to another driver is claimed there and ended on the one of before", async () => {
    const before = { ...given, directory: `${directory}-before`, server: { ...driver, address: relayed } };
    const { outputs } = await apply(lease, before);
    const { phases } = await apply(lease, given, testContext(), { ...parsed(before), ...outputs });
    expect(phases).toEqual([`ending the claims on ${relayed}`]);
    expect(files().sort()).toEqual(["address_10.91.0.14", "machine_h14"]);
    expect(readdirSync(before.directory).filter((name) => !name.startsWith("."))).toEqual([]);
  });

  test("of a driver that only got another address is still there afterwards", async () => {
    const before = { ...given, server: { ...driver, address: relayed } };
    const { outputs } = await apply(lease, before);
    await apply(lease, given, testContext(), { ...parsed(before), ...outputs });
    expect(files().sort()).toEqual(["address_10.91.0.14", "machine_h14"]);
  });

  test("that moves away from a driver where another machine answers by now is made, with a warning", async () => {
    const before = { ...given, server: { ...driver, address: relayed, hostKey: `SHA256:${"A".repeat(43)}` } };
    const { phases } = await apply(lease, given, testContext(), { ...parsed(before), since: "" });
    expect(phases.join()).toContain(`warning: the claims on ${relayed} stay`);
    expect(files()).toHaveLength(2);
  });

  test("is deleted without touching another's, and deleting an absent one succeeds", async () => {
    await apply(lease, given);
    await apply(lease, { ...given, claims: ["machine/h13"] }, testContext(otherStack));
    await drop(lease, given);
    await drop(lease, given);
    expect(files()).toEqual(["machine_h13"]);
    expect(await observed(lease, given)).toBeUndefined();
  });

  test("of two thousand claims is made in one go", async () => {
    const many = Array.from({ length: 2000 }, (_, index) => `machine/m${index}`);
    await apply(lease, { ...given, claims: many });
    expect(files()).toHaveLength(2000);
    await apply(lease, { ...given, claims: many.slice(0, 1990) });
    expect(files()).toHaveLength(1990);
  });

  test("asked for by two stacks at the same moment goes to one of them, whole", async () => {
    const results = await Promise.allSettled([
      apply(lease, { ...given, claims: ["machine/a", "machine/b"] }),
      apply(lease, { ...given, claims: ["machine/b", "machine/a"] }, testContext(otherStack)),
    ]);
    expect(results.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(new Set(files().map((file) => readFileSync(join(directory, file), "utf8").split("\n")[0])).size).toBe(1);
  });
});

describe("is refused, and nothing claimed,", () => {
  test("what another stack holds: the error names holder, stack, time, place and the way out", async () => {
    await apply(lease, given, testContext(otherStack));
    const error = await failure(apply(lease, { ...given, claims: ["machine/h12", ...claims] }));
    expect([error.kind, error.code]).toEqual(["conflict", "held"]);
    expect(error.message).toMatch(
      /machine\/h14 is held by cloudstack-testbed:cloudstack-testbed\/other\/00000000000000aa since \d{4}-\S+Z from \S+@\S+ \(and with it address\/10\.91\.0\.14\)/,
    );
    expect(error.remedy).toContain("pulumi destroy --stack other");
    expect(files()).not.toContain("machine_h12");
  });

  test("what the same stack holds from another state: the error says that, and names takeover", async () => {
    await apply(lease, given, testContext(theirs));
    const error = await failure(apply(lease, given));
    expect(error.message).toContain(`held by ${markText(theirs)} since`);
    expect(error.remedy).toContain("run from another state");
    expect(error.remedy).toContain("testbed takeover");
  });

  test("what several hold: each is named", async () => {
    await apply(lease, { ...given, claims: ["machine/h14"] }, testContext(theirs));
    await apply(lease, { ...given, claims: ["address/10.91.0.14"] }, testContext(otherStack));
    const error = await failure(apply(lease, given));
    for (const mark of [theirs, otherStack]) expect(error.message).toContain(markText(mark));
    expect(error.remedy).toMatch(/testbed takeover.*pulumi destroy --stack other/);
  });

  test("a claim whose file is damaged: the error says where to look", async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "machine_h14"), "");
    const error = await failure(apply(lease, given));
    expect(error.message).toContain("machine/h14 is held by nobody that can be read since an unknown time");
    expect(error.remedy).toContain(directory);
  });

  test("a driver whose disk is full", async () => {
    const full = "/run/leases-full";
    await fullFolder(full);
    try {
      const error = await failure(apply(lease, { ...given, directory: full }));
      expect(error.code).toBe("not-written");
      expect(error.message).toContain(`the claims cannot be written in ${full}`);
      expect(await onDriver('ls -A "$1"', full)).not.toContain("h14");
    } finally {
      await removeFullFolder(full);
    }
  });

  test("a driver that does not answer SSH", async () => {
    const context = { ...testContext(), signal: AbortSignal.timeout(1500) };
    await expect(apply(lease, { ...given, server: { ...driver, address: "10.91.0.250" } }, context)).rejects.toThrow();
  });
});

describe("strays", () => {
  const machine = new LightHost("h14");
  const cobbler = { url: "http://10.91.0.1/cobbler_api", credential: "cobbler" };
  const { hostsDirectory, dhcpHostsDirectory, pidFile } = dnsmasq;
  const full = { ...given, cobbler, entries: { hostsDirectory, dhcpHostsDirectory, pidFile, names: ["h14"] } };
  const stray = { ...dnsmasq, name: "stray", mac: "52:54:00:91:96:01", address: "10.91.0.219" };
  const foreign = { ...dnsmasq, name: "foreign", mac: "52:54:00:91:96:02", address: "10.91.0.218" };
  const system = (name: string) => new CobblerClient(testContext(), cobbler).get("system", name);

  beforeAll(async () => {
    await machine.prepare();
    await apply(entry, foreign, testContext(otherStack));
  });

  afterAll(async () => {
    await drop(entry, foreign, testContext(otherStack));
    await machine.remove();
  });

  test("of this stack that are in no plan are removed and named; what is planned or another's stays", async () => {
    await apply(entry, stray);
    const { phases } = await apply(lease, full);
    expect(phases.join()).toContain("in no plan: dnsmasq entry stray");
    expect(existsSync(join(hostsDirectory, "stray")) || existsSync(join(dhcpHostsDirectory, "stray"))).toBe(false);
    for (const name of ["h14", "foreign"]) expect(existsSync(join(hostsDirectory, name))).toBe(true);
    expect(await system("h14")).toBeDefined();
  });

  test("are none where everything is planned, and nothing is said", async () => {
    expect((await apply(lease, full)).phases).toEqual([]);
  });

  test("among cobbler's systems are removed when their machine is claimed no more", async () => {
    const { phases } = await apply(lease, { ...full, claims: ["machine/h13"] });
    expect(phases.join()).toContain("cobbler system h14");
    expect(await system("h14")).toBeUndefined();
    await machine.prepare();
  });

  test("are left alone while another holds the claim", async () => {
    await apply(lease, given, testContext(theirs));
    await apply(entry, stray);
    await failure(apply(lease, full));
    expect(existsSync(join(hostsDirectory, "stray"))).toBe(true);
    await drop(entry, stray);
  });

  test("go with the lease when it is deleted", async () => {
    await apply(lease, full);
    await apply(entry, stray);
    expect((await drop(lease, full)).join()).toContain("dnsmasq entry stray");
    expect(existsSync(join(hostsDirectory, "foreign"))).toBe(true);
  });
});
