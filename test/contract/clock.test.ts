// The clock of a machine against the driver's, over SSH: an hour off, nearly right, with chrony and without.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { host } from "../../providers/baremetal/index.ts";
import { endInstall } from "../../providers/cobbler/index.ts";
import {
  type ClockOwner,
  clockFault,
  clockOver,
  compareClocks,
  parseTracking,
  proveClock,
  proveHostClock,
} from "../../providers/site/index.ts";
import { closeSharedSsh, type SshResult } from "../../providers/transport/ssh.ts";
import { apply, failure, labCredentials, testContext } from "../support/context.ts";
import { fault, switchPower } from "../support/lab.ts";
import { LightHost } from "../support/light-host.ts";
import { driver } from "../support/puppet.ts";

const machine = new LightHost("h12");
const limits = { largestOffsetSeconds: 1, convergeSeconds: 2 };
const driverClock = clockOver("driver 10.91.0.1", {
  address: driver.address,
  user: "root",
  hostKey: driver.hostKey,
  privateKey: labCredentials.driver?.privateKey ?? "",
});
let generation = 0;

/** Installs the machine, and proves its clock as a proof of the installation does. */
async function installedAndProved() {
  const { outputs } = await apply(host, { ...machine.inputs, generation: `clock-${++generation}` }, testContext());
  const target = { address: "10.91.0.12", user: "root", hostKey: outputs.hostKey, privateKey: labCredentials.hosts?.privateKey ?? "" };
  return proveHostClock(testContext(), target, { driver, ...limits });
}

beforeAll(async () => {
  await fault("h12", "clear");
  await machine.prepare();
});

afterEach(() => fault("h12", "clear"));

afterAll(async () => {
  await switchPower("h12", "off");
  await endInstall(testContext(), machine.inputs.cobbler as never, "h12");
  await machine.remove();
  await closeSharedSsh();
});

test("a right clock is proved, by a `date` that knows whole seconds only", async () => {
  const seen = await installedAndProved();
  expect(Math.abs(seen.offsetSeconds) - seen.uncertainSeconds).toBeLessThanOrEqual(1);
  expect(seen.chrony).toBeUndefined();
});

test("a clock an hour ahead is an error that names both clocks, and a right one heals it", async () => {
  await fault("h12", "clock-off", "1");
  const error = await failure(installedAndProved());
  expect([error.kind, error.code, error.system]).toEqual(["refused", "clock", "host 10.91.0.12"]);
  expect(error.message).toMatch(
    /the clock of host 10\.91\.0\.12 says \S+Z when that of driver 10\.91\.0\.1 says \S+Z: 3[56]\d\d\.\d{3} s ahead/,
  );
  expect(error.message).toContain("1 s are allowed; there is no chrony on it to ask");
  expect(error.message).toContain("did not come nearer within 2 s");
  await installedAndProved();
});

test("the driver agrees with itself to less than its round trip, and its chrony is asked", async () => {
  const seen = await compareClocks(driverClock, driverClock);
  expect(Math.abs(seen.offsetSeconds)).toBeLessThanOrEqual(seen.uncertainSeconds);
  expect(seen.uncertainSeconds).toBeLessThan(2);
});

describe("a clock that converges", () => {
  const answer = (stdout: string): SshResult => ({ status: 0, stdout, stderr: "" });
  const owner = (name: string, ahead: () => number): ClockOwner => ({
    name,
    exec: async ([program]) =>
      program === "date" ? answer(`${(Date.now() / 1000 + ahead()).toFixed(9)}\n`) : { ...answer(""), status: 1 },
  });

  test("is waited for", async () => {
    let readings = 0;
    const context = testContext();
    // Three readings make one comparison.
    const converging = owner("host a", () => (++readings > 3 ? 0 : 10));
    await proveClock(
      context,
      converging,
      owner("driver b", () => 0),
      { ...limits, convergeSeconds: 30 },
    );
    expect(context.phases).toEqual(["waiting for the clock to agree with the driver's"]);
  });

  test.each([
    [0.9, undefined],
    [-0.9, undefined],
    [1.2, "1.2"],
    [-1.2, "behind"],
    [-86400, "86400"],
  ])("%d s off is told as it is", async (ahead, says) => {
    const seen = await compareClocks(
      owner("host a", () => ahead),
      owner("driver b", () => 0),
    );
    const found = clockFault("host a", "driver b", seen, 1);
    if (says === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(says);
  });

  test("a machine whose `date` fails is named", async () => {
    const broken: ClockOwner = { name: "host a", exec: async () => ({ status: 127, stdout: "", stderr: "date: not found" }) };
    const error = await failure(
      compareClocks(
        broken,
        owner("driver b", () => 0),
      ),
    );
    expect([error.code, error.system]).toEqual(["no-date", "host a"]);
  });
});

describe("chrony's own word", () => {
  // Collected from chrony 4.3: synchronised, not synchronised, and what it says without its daemon.
  const normal = "0A5B0001,10.91.0.1,9,1795627706.123456789,0.000012345,-0.000001,0.00002,-12.3,0.001,0.02,0.0003,0.0004,64.5,Normal";
  test("is read", () => {
    expect(parseTracking(normal)).toEqual({ synchronised: true, offsetSeconds: 0.000012345, server: "10.91.0.1" });
    expect(parseTracking(normal.replace(",Normal", ",Not synchronised"))?.synchronised).toBe(false);
  });

  test.each(["506 Cannot talk to daemon", "", "a,b,c", normal.replace("0.000012345", "")])("%j is no answer", (text) => {
    expect(parseTracking(text)).toBeUndefined();
  });

  test("a clock that chrony itself knows to be off is wrong, even where SSH is too slow to tell", () => {
    const seen = { offsetSeconds: 1, uncertainSeconds: 5, chrony: { synchronised: true, offsetSeconds: 3.5, server: "10.91.0.1" } };
    expect(clockFault("host a", "driver b", seen, 1)).toContain("chrony there follows 10.91.0.1, 3.5 s off");
    expect(clockFault("host a", "driver b", { ...seen, chrony: { ...seen.chrony, synchronised: false } }, 1)).toBeUndefined();
  });
});
