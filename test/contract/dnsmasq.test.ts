// dnsmasq:Host against the real dnsmasq of the lab, asked over DNS as a machine of the site would.
import { Resolver } from "node:dns/promises";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import type { HostInputs } from "../../providers/dnsmasq/entry.ts";
import { host } from "../../providers/dnsmasq/index.ts";
import { markText } from "../../providers/kernel/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, observed, ours, testContext, theirs } from "../support/context.ts";
import { fullFolder, onDriver, removeFullFolder } from "../support/driver-shell.ts";
import { fault } from "../support/lab.ts";
import { dnsmasq } from "../support/light-host.ts";
import { waitUntil } from "../support/wait-until.ts";

const { hostsDirectory: hosts, dhcpHostsDirectory: dhcp } = dnsmasq;
const entry = { ...dnsmasq, name: "d1", mac: "52:54:00:91:98:01", address: "10.91.0.221" };
const another = { ...entry, name: "d2", mac: "52:54:00:91:98:02", address: "10.91.0.222" };
const mine = markText(ours);
const leases = "/var/lib/misc/dnsmasq.leases";
const resolver = new Resolver({ timeout: 1000, tries: 2 });
resolver.setServers([dnsmasq.server.address]);
const address = (name: string) => resolver.resolve4(`${name}.lab.test`).catch((error: { code: string }) => [error.code]);
const log = () => readFileSync(dnsmasq.log, "utf8");
const reloads = () =>
  log()
    .split("\n")
    .filter((line) => /dnsmasq-dhcp\[\d+\]: read .*\/d1$/.test(line)).length;

afterEach(async () => {
  await fault("dnsmasq", "clear");
  for (const one of [entry, another]) await drop(host, one);
});

afterAll(closeSharedSsh);

describe("an entry", () => {
  test("is answered by name and by address, and stands in both folders with our mark", async () => {
    const { outputs } = await apply(host, entry);
    expect(outputs).toEqual({ fqdn: "d1.lab.test" });
    expect(await address("d1")).toEqual(["10.91.0.221"]);
    expect(await resolver.reverse("10.91.0.221")).toEqual(["d1.lab.test"]);
    expect(readFileSync(join(hosts, "d1"), "utf8")).toBe(`# ${mine}\n10.91.0.221 d1.lab.test d1\n`);
    expect(readFileSync(join(dhcp, "d1"), "utf8")).toBe(`# ${mine}\n52:54:00:91:98:01,10.91.0.221,d1\n`);
    expect(statSync(join(hosts, "d1")).mode & 0o777).toBe(0o644);
  });

  test("applied again, as after a lost state, writes nothing and disturbs nobody", async () => {
    await apply(host, entry);
    const before = [statSync(join(hosts, "d1")).ino, reloads()];
    expect((await apply(host, entry)).phases).toEqual([]);
    expect([statSync(join(hosts, "d1")).ino, reloads()]).toEqual(before);
  });

  test("shows no drift right after it was made", async () => {
    await apply(host, entry);
    const { mac, dhcp: served, domain } = { ...entry, dhcp: true };
    expect(await observed(host, entry)).toEqual({ address: entry.address, mac, dhcp: served, domain });
  });

  test.each([
    ["address", hosts, "10.91.0.229 d1.lab.test d1", { address: "10.91.0.229" }],
    ["name", hosts, "10.91.0.221 other.lab.test other", { domain: "of another name: other.lab.test" }],
    ["MAC", dhcp, "52:54:00:91:98:99,10.91.0.221,d1", { mac: "52:54:00:91:98:99" }],
    ["DHCP address", dhcp, "52:54:00:91:98:01,10.91.0.229,d1", { address: "10.91.0.229" }],
  ])("whose %s was changed by hand shows it, and is mended", async (_, folder, line, drift) => {
    await apply(host, entry);
    writeFileSync(join(folder, "d1"), `# ${mine}\n${line}\n`);
    expect(await observed(host, entry)).toMatchObject(drift);
    await apply(host, entry);
    expect(await observed(host, entry)).toMatchObject({ address: entry.address, mac: entry.mac, domain: "lab.test" });
    expect(await address("d1")).toEqual(["10.91.0.221"]);
  });

  test("that is gone is absent, and is made again", async () => {
    await apply(host, entry);
    rmSync(join(hosts, "d1"));
    rmSync(join(dhcp, "d1"));
    expect(await observed(host, entry)).toBeUndefined();
    await apply(host, entry);
    expect(await address("d1")).toEqual(["10.91.0.221"]);
  });

  test.each([
    ["address", { address: "10.91.0.223" }],
    ["MAC", { mac: "52:54:00:91:98:03" }],
  ])("gets another %s in place, and dnsmasq is told to forget the old", async (_, change) => {
    await apply(host, entry);
    const before = reloads();
    await apply(host, { ...entry, ...change });
    expect(await observed(host, { ...entry, ...change })).toMatchObject(change);
    expect(reloads()).toBeGreaterThan(before);
    expect(await address("d1")).toEqual([{ ...entry, ...change }.address]);
  });

  test("without DHCP stands in DNS only", async () => {
    await apply(host, entry);
    await apply(host, { ...entry, dhcp: false });
    expect(existsSync(join(dhcp, "d1"))).toBe(false);
    expect(await observed(host, { ...entry, dhcp: false })).toMatchObject({ dhcp: false });
    expect(await address("d1")).toEqual(["10.91.0.221"]);
  });

  test("changes asked for together are told to dnsmasq together", async () => {
    const many = Array.from({ length: 12 }, (_, index) => ({
      ...entry,
      name: `many${index}`,
      mac: `52:54:00:91:97:${String(10 + index)}`,
      address: `10.91.0.${230 + index}`,
    }));
    await Promise.all(many.map((one) => apply(host, one)));
    const told = () =>
      log()
        .split("\n")
        .filter((line) => /dnsmasq-dhcp\[\d+\]: read .*\/many0$/.test(line)).length;
    const before = told();
    await Promise.all(many.map((one) => drop(host, one)));
    expect(told() - before).toBeLessThan(12);
    expect(await address("many0")).toEqual(["ENOTFOUND"]);
  });
});

describe("of entries asked for together", () => {
  const crowd = (numbers: readonly number[]) =>
    numbers.map((number) => ({
      ...entry,
      name: `crowd${number}`,
      mac: `52:54:00:91:96:${10 + number}`,
      address: `10.91.0.${230 + number}`,
    }));
  const all = crowd([0, 1, 2, 3, 4, 5, 6, 7]);

  afterEach(async () => {
    await Promise.all(all.map((one) => drop(host, one)));
  });

  test("one made by hand is refused alone, naming its file, and the others come through", async () => {
    const file = join(hosts, "crowd3");
    writeFileSync(file, "10.91.0.233 crowd3.lab.test crowd3\n");
    try {
      const ends = await Promise.allSettled(all.map((one) => apply(host, one)));
      expect(ends.map((end) => end.status)).toEqual(all.map(({ name }) => (name === "crowd3" ? "rejected" : "fulfilled")));
      expect(String((ends[3] as PromiseRejectedResult).reason)).toContain(`${file} is not ours`);
      expect(await address("crowd4")).toEqual(["10.91.0.234"]);
      expect(readFileSync(file, "utf8")).not.toContain(mine);
    } finally {
      rmSync(file);
    }
  });

  test("one that claims the address of another is refused, and that other comes through", async () => {
    const claims = all.map((one, index) => (index === 6 ? { ...one, address: "10.91.0.235" } : one));
    const ends = await Promise.allSettled(claims.map((one) => apply(host, one)));
    expect(ends.map((end) => end.status)).toEqual(all.map((_, index) => (index === 6 ? "rejected" : "fulfilled")));
    expect(String((ends[6] as PromiseRejectedResult).reason)).toContain(`stands in ${hosts}/crowd5 already`);
  });

  test("a line that dnsmasq does not accept is refused alone", async () => {
    const bad = { ...(host.inputs.parse(entry) as unknown as HostInputs), name: "-d1-" };
    const ends = await Promise.allSettled([
      host.reconcile(testContext(), bad, undefined, undefined),
      ...all.map((one) => apply(host, one)),
    ]);
    expect(ends.map((end) => end.status)).toEqual(["rejected", ...all.map(() => "fulfilled")]);
    expect(String((ends[0] as PromiseRejectedResult).reason)).toContain("dnsmasq refuses the line");
  });

  test("one whose caller has given up keeps no other from its end", async () => {
    const gone = new AbortController();
    const context = Object.assign(testContext(), { signal: gone.signal });
    const given = failure(apply(host, all[0] as typeof entry, context));
    const others = Promise.all(all.slice(1).map((one) => apply(host, one)));
    gone.abort(new Error("given up"));
    expect((await given).message).toContain("given up");
    await others;
    expect(await address("crowd7")).toEqual(["10.91.0.237"]);
  });
});

describe("is refused before anything is written:", () => {
  const untouched = () => expect(existsSync(join(hosts, "d1")) || existsSync(join(dhcp, "d1"))).toBe(false);

  test("an entry that another owner has, naming him", async () => {
    await apply(host, entry, testContext(theirs));
    const error = await failure(apply(host, { ...entry, address: "10.91.0.224" }));
    expect([error.kind, error.code]).toEqual(["conflict", "foreign"]);
    expect(error.message).toContain(markText(theirs));
    expect(readFileSync(join(hosts, "d1"), "utf8")).toContain("10.91.0.221");
    await drop(host, entry, testContext(theirs));
  });

  test("an entry made by hand", async () => {
    writeFileSync(join(hosts, "d1"), "10.91.0.221 d1.lab.test d1\n");
    const error = await failure(apply(host, entry));
    expect(error.message).toContain("is not ours: its first line is");
    rmSync(join(hosts, "d1"));
  });

  test.each([
    ["MAC", { mac: another.mac.toUpperCase() }],
    ["address", { address: another.address }],
    ["name", { name: "d1" }],
  ])("a %s that stands in another file, naming the file", async (what, theirsHas) => {
    const file = join(what === "MAC" ? dhcp : hosts, "by-hand");
    const line = { mac: "52:54:00:91:98:77", address: "10.91.0.227", name: "d9", ...theirsHas };
    writeFileSync(file, what === "MAC" ? `${line.mac},${line.address},${line.name}\n` : `${line.address} ${line.name}\n`);
    try {
      const error = await failure(apply(host, { ...entry, ...(what === "name" ? {} : { mac: another.mac, address: another.address }) }));
      expect([error.kind, error.code]).toEqual(["conflict", "duplicate"]);
      expect(error.message).toContain(`stands in ${file} already`);
      untouched();
    } finally {
      rmSync(file);
    }
  });

  test("an address whose number merely begins another is no conflict", async () => {
    await apply(host, { ...another, address: "10.91.0.22", name: "d22" });
    await apply(host, { ...entry, address: "10.91.0.221", name: "d2" });
    await drop(host, { ...another, name: "d22" });
  });

  test.each([
    ["a running lease", String(Math.round(Date.now() / 1000) + 3600), /is leased to 52:54:00:91:98:55 \(name stranger\) until 20\d\d-/],
    ["a lease without end", "0", /is leased to 52:54:00:91:98:55 \(name stranger\) for ever/],
  ])("an address of which another MAC has %s", async (_, end, message) => {
    const before = readFileSync(leases, "utf8");
    appendFileSync(leases, `${end} 52:54:00:91:98:55 10.91.0.221 stranger *\n`);
    try {
      const error = await failure(apply(host, entry));
      expect([error.kind, error.code]).toEqual(["conflict", "leased"]);
      expect(error.message).toMatch(message);
      expect(error.remedy).toContain("dhcp_release");
      untouched();
    } finally {
      writeFileSync(leases, before);
    }
  });

  test("nothing, where the lease has ended or is the machine's own", async () => {
    const before = readFileSync(leases, "utf8");
    const soon = Math.round(Date.now() / 1000) + 3600;
    appendFileSync(leases, `1000 52:54:00:91:98:55 10.91.0.221 stranger *\n${soon} ${entry.mac} 10.91.0.221 d1 *\n`);
    try {
      await apply(host, entry);
    } finally {
      writeFileSync(leases, before);
    }
  });

  test("a line that dnsmasq itself does not accept", async () => {
    // A name that our own check would not let through: what is tested is that dnsmasq is asked.
    const inputs = { ...(host.inputs.parse(entry) as unknown as HostInputs), name: "-d1-" };
    const error = await failure(host.reconcile(testContext(), inputs, undefined, undefined));
    expect([error.kind, error.code]).toEqual(["invalid", "line-refused"]);
    expect(readdirSync(dhcp)).not.toContain("-d1-");
  });

  test.each([
    ["mac", "01:00:5e:00:00:01", "one machine"],
    ["mac", "52:54:00:91:98:1", "six lower-case"],
    ["address", "224.0.0.1", "one machine"],
    ["address", "127.0.0.1", "one machine"],
    ["address", "10.91.0.300", "IPv4"],
    ["name", "h_1", "RFC 1123"],
    ["name", "../h1", "RFC 1123"],
  ])("%s %s", (field, value, message) => {
    const result = host.inputs.safeParse({ ...entry, [field]: value });
    expect(result.error?.issues.map((issue) => issue.message).join()).toContain(message);
  });
});

describe("when dnsmasq", () => {
  test("does not take a change over, the previous content is back and the error says both", async () => {
    await apply(host, entry);
    const before = readFileSync(join(hosts, "d1"), "utf8");
    await fault("dnsmasq", "down");
    const error = await failure(apply(host, { ...entry, address: "10.91.0.225" }));
    expect(error.message).toMatch(/dnsmasq did not take it over: .*last seen: DNS answers "E\w+ E\w+".*; the previous content is back/);
    expect(readFileSync(join(hosts, "d1"), "utf8")).toBe(before);
    await fault("dnsmasq", "clear");
    await apply(host, { ...entry, address: "10.91.0.225" });
    expect(await address("d1")).toEqual(["10.91.0.225"]);
  });

  test("does not run, a change is refused as that and the previous content is back", async () => {
    await apply(host, entry);
    await fault("dnsmasq", "killed");
    const error = await failure(apply(host, { ...entry, mac: "52:54:00:91:98:04" }));
    expect(error.code).toBe("not-running");
    expect(error.message).toMatch(
      /the pid file \/run\/dnsmasq\.pid names \d+.*; the previous content is back, which dnsmasq could not be told/,
    );
    expect(await observed(host, entry)).toMatchObject({ mac: entry.mac });
    await fault("dnsmasq", "clear");
    await apply(host, { ...entry, mac: "52:54:00:91:98:04" });
  });

  test("does not run, a new entry is refused as that and its files are gone again", async () => {
    await fault("dnsmasq", "killed");
    const error = await failure(apply(host, entry));
    expect(error.code).toBe("not-running");
    expect(error.message).toContain("the new files are removed again");
    expect(await observed(host, entry)).toBeUndefined();
  });

  test("still has a removed line in memory, it is told to forget it and the entry comes through", async () => {
    const file = join(dhcp, "by-hand");
    const begun = log().length;
    writeFileSync(file, `52:54:00:91:98:66,${entry.address},by-hand\n`);
    await waitUntil("dnsmasq to read the line", () => log().slice(begun).includes(`read ${file}`));
    // The file goes without a SIGHUP, and the line stays: dnsmasq calls the new one a duplicate of it (dnsmasq facts A1).
    rmSync(file);
    const before = log().length;
    await apply(host, entry);
    expect(log().slice(before)).toContain("cleared cache");
    expect(await address("d1")).toEqual(["10.91.0.221"]);
  });

  test("writes a log that cannot be read, the proof is DNS alone and that is said", async () => {
    const { phases } = await apply(host, { ...entry, log: "/nonexistent.log" });
    expect(phases.join()).toContain("/nonexistent.log cannot be read on the driver");
    expect(await address("d1")).toEqual(["10.91.0.221"]);
  });

  test("does not run, an entry is deleted all the same, with a warning", async () => {
    await apply(host, entry);
    await fault("dnsmasq", "killed");
    expect((await drop(host, entry)).join()).toContain("dnsmasq is not running");
    expect(await observed(host, entry)).toBeUndefined();
    await fault("dnsmasq", "clear");
    expect(await address("d1")).toEqual(["ENOTFOUND"]);
  });

  test("has another process's number in its pid file, that process gets no signal", async () => {
    await apply(host, entry);
    writeFileSync("/run/stale.pid", `${process.pid}\n`);
    const warnings = await drop(host, { ...entry, pidFile: "/run/stale.pid" });
    expect(warnings.join()).toContain(`names ${process.pid}`);
    rmSync("/run/stale.pid");
  });
});

describe("a driver", () => {
  const full = "/run/dnsmasq-full";
  const folders = { hostsDirectory: `${full}/hosts.d`, dhcpHostsDirectory: `${full}/dhcp.d` };

  test("whose disk is full keeps what it had, and says so", async () => {
    const old = `# ${mine}\nas it was`;
    await fullFolder(full, `mkdir hosts.d dhcp.d; for f in hosts.d dhcp.d; do printf '%s\\n' '${old}' >$f/d1; done`);
    try {
      const error = await failure(apply(host, { ...entry, ...folders }));
      expect([error.kind, error.code]).toEqual(["refused", "not-written"]);
      expect(error.message).toContain(`${full}/hosts.d/d1 cannot be written`);
      expect(error.remedy).toContain("make room on that file system");
      expect(await onDriver('cat "$1"/*/d1', full)).toBe(`${old}\n${old}\n`);
      expect(await onDriver('find "$1" -name "*.new"', full)).toBe("");
    } finally {
      await removeFullFolder(full);
    }
  });

  test("without the folders is told by their name", async () => {
    const error = await failure(apply(host, { ...entry, hostsDirectory: "/nonexistent/hosts.d" }));
    expect(error.code).toBe("not-written");
    expect(error.message).toContain("/nonexistent/hosts.d cannot be written");
  });

  test("that shows another host key is refused, and nothing is written", async () => {
    const server = { ...entry.server, hostKey: `SHA256:${"A".repeat(43)}` };
    expect((await failure(apply(host, { ...entry, server }))).code).toBe("host-key");
  });
});

describe("deleting", () => {
  test("takes the name out of DNS", async () => {
    await apply(host, entry);
    await drop(host, entry);
    expect(await address("d1")).toEqual(["ENOTFOUND"]);
  });

  test("an absent one succeeds without a word to dnsmasq", async () => {
    const before = log().length;
    expect(await drop(host, entry)).toEqual([]);
    expect(log().slice(before)).not.toContain("cleared cache");
  });

  test("leaves an entry alone that another owner has by now", async () => {
    await apply(host, entry, testContext(theirs));
    expect((await drop(host, entry)).join()).toContain("was left alone");
    expect(await address("d1")).toEqual(["10.91.0.221"]);
    await drop(host, entry, testContext(theirs));
  });
});
