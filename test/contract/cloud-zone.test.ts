// cloudstack:Zone and ZoneEnablement against the emulator.

import { afterEach, describe, expect, test } from "@jest/globals";
import { pod, zone, zoneEnablement } from "../../providers/cloudstack/index.ts";
import type { ZoneInputs, ZoneOutputs } from "../../providers/cloudstack/zone.ts";
import { markText } from "../../providers/kernel/index.ts";
import { podGiven, zoneGiven } from "../support/cloud-objects.ts";
import { apiError } from "../support/cloud-proxy.ts";
import { failure, ours, testContext, theirs } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();
const given = zoneGiven("z0");
type State = ZoneInputs & ZoneOutputs;

interface Row {
  id: string;
  name: string;
  allocationstate: string;
  resourcedetails?: Record<string, string>;
}

const rows = () => cloud.client.list<Row>("listZones", "zone");
const up = (change: Partial<ZoneInputs> = {}, previous?: State, context = testContext()) =>
  cloud.up(zone, { ...given, ...change }, previous, context);
const byHand = (id: string, parameters: Record<string, string>) => cloud.client.change("updateZone", { id, ...parameters });

/** A zone that somebody else made. */
async function foreign(name: string, details?: string): Promise<string> {
  const made = await cloud.client.change("createZone", { name, networktype: "Advanced", dns1: "10.0.0.1", internaldns1: "10.0.0.1" });
  const { id } = made.zone as Row;
  if (details) await byHand(id, { "details[0].key": "cloudstack-testbed", "details[0].value": details });
  return id;
}

afterEach(async () => {
  for (const { id } of await cloud.client.list<Row>("listPods", "pod")) await cloud.client.change("deletePod", { id });
  for (const { id } of await rows()) await cloud.client.change("deleteZone", { id });
});

describe("a zone", () => {
  test("is made with its mark, and left alone by a second run", async () => {
    const state = await up({ details: { colour: "green" } });
    expect(await rows()).toMatchObject([
      { id: state.id, name: "z0", allocationstate: "Disabled", resourcedetails: { "cloudstack-testbed": markText(ours), colour: "green" } },
    ]);
    cloud.proxy.clear();
    expect(await up({ details: { colour: "green" } }, state)).toEqual(state);
    expect(cloud.proxy.changes).toEqual([]);
    expect(await cloud.refresh(zone, state)).toMatchObject({
      name: "z0",
      dns1: "10.0.0.1",
      localStorage: false,
      details: { colour: "green" },
    });
  });

  const fields: [keyof ZoneInputs, unknown, Record<string, string>][] = [
    ["dns1", "10.0.0.2", { dns1: "10.9.9.9" }],
    ["dns2", "10.0.0.3", { dns2: "10.9.9.9" }],
    ["internalDns1", "10.0.0.4", { internaldns1: "10.9.9.9" }],
    ["internalDns2", "10.0.0.5", { internaldns2: "10.9.9.9" }],
    ["domain", "lab.test", { domain: "other.test" }],
    ["guestCidr", "10.2.0.0/16", { guestcidraddress: "10.3.0.0/16" }],
    ["localStorage", true, { localstorageenabled: "true" }],
    ["details", { colour: "blue" }, { "details[0].key": "colour", "details[0].value": "red" }],
  ];

  test.each(fields)("is changed in place: %s", async (field, value) => {
    const before = await up({ details: { colour: "green" } });
    const after = await up({ details: { colour: "green" }, [field]: value }, before);
    expect(after.id).toBe(before.id);
    expect(await cloud.refresh(zone, after)).toMatchObject({ [field]: value });
  });

  test.each(fields)("that was changed by hand is seen and mended: %s", async (field, _, parameters) => {
    const state = await up({ details: { colour: "green" } });
    await byHand(state.id, parameters);
    const seen = await cloud.refresh(zone, state);
    expect(seen?.[field]).not.toEqual(state[field]);
    await up({ details: { colour: "green" } }, state);
    expect((await cloud.refresh(zone, state))?.[field]).toEqual(state[field]);
  });

  test("that nobody marked is taken over where that is wanted", async () => {
    const id = await foreign("z0");
    expect((await up({ adopt: true })).id).toBe(id);
    expect((await rows())[0]?.resourcedetails).toMatchObject({ "cloudstack-testbed": markText(ours) });
    expect((await up()).id).toBe(id);
  });

  test("whose run was cut off before its mark is completed", async () => {
    cloud.proxy.spoil("updateZone", apiError("updateZone", 530, 4250, "injected"));
    await failure(up());
    expect((await rows())[0]?.name).toBe(`z0 ${markText(ours)}`);
    cloud.proxy.clear();
    await up();
    expect((await rows()).map((one) => one.name)).toEqual(["z0"]);
    expect(cloud.proxy.changes).toEqual(["updateZone"]);
  });

  test("that is absent is no failure of its removal", async () => {
    const state = await up();
    await cloud.down(zone, state);
    expect(await cloud.refresh(zone, state)).toBeUndefined();
    expect(await cloud.down(zone, state)).toEqual([]);
  });
});

describe("a zone is refused", () => {
  test.each([
    ["that nobody marked", undefined, /was not made by this stack.*`adopt`/],
    ["of another stack", markText({ ...ours, stack: "xen" }), /belongs to cloudstack-testbed:cloudstack-testbed\/xen/],
    ["of the same stack of another state", markText(theirs), /testbed takeover/],
  ])("%s, and nothing of it is changed", async (_, mark, text) => {
    await foreign("z0", mark);
    const before = await rows();
    const error = await failure(up());
    expect(error).toMatchObject({ kind: "conflict", code: "foreign" });
    expect(error.message).toMatch(text);
    expect(await rows()).toEqual(before);
    expect(cloud.proxy.changes).toEqual([]);
  });

  test("that another stack marked, also with `adopt`", async () => {
    await foreign("z0", markText(theirs));
    expect(await failure(up({ adopt: true }))).toMatchObject({ code: "foreign" });
  });

  test("whose name differs in letter case only", async () => {
    await foreign("Z0");
    expect(await failure(up())).toMatchObject({ code: "foreign" });
  });

  test("as the place of a pod", async () => {
    await foreign("z0", markText(theirs));
    expect(await failure(cloud.up(pod, podGiven("z0")))).toMatchObject({ code: "foreign" });
    expect(await cloud.client.list("listPods", "pod")).toEqual([]);
  });

  test("as long as it does not exist, as the place of a pod", async () => {
    expect(await failure(cloud.up(pod, podGiven("nowhere")))).toMatchObject({ code: "absent" });
  });
});

describe("a zone that fails", () => {
  test.each([
    ["with the server's own text", apiError("createZone", 431, 4350, "A zone with that name already exists"), "invalid", "431/4350"],
    ["as a conflict", apiError("createZone", 530, 4300, "There's another operation"), "conflict", "530/4300"],
    ["for lack of rights", apiError("createZone", 531, 4365, "No permission"), "refused", "531/4365"],
    ["as something that this release lacks", apiError("createZone", 432, 9999, "Unknown API command: createZone"), "invalid", "432/9999"],
    ["as unreachable when the answer is none", { status: 500, text: "<html>" }, "unreachable", "500"],
  ] as const)("does so %s", async (_, fault, kind, code) => {
    cloud.proxy.spoil("createZone", fault);
    expect(await failure(up())).toMatchObject({ kind, code });
    expect(await rows()).toEqual([]);
  });

  test("to be stored as wanted says what is stored instead", async () => {
    const state = await up();
    cloud.proxy.spoil("updateZone", { status: 200, text: JSON.stringify({ updatezoneresponse: { zone: { id: state.id } } }) });
    const error = await failure(up({ dns1: "10.0.0.2" }, state));
    expect(error).toMatchObject({ kind: "refused", code: "not-stored" });
    expect(error.message).toContain('expected dns1 "10.0.0.2", but seen is "10.0.0.1"');
  });

  test("to be deleted while something is in it keeps the server's reason", async () => {
    const state = await up();
    await cloud.up(pod, podGiven("z0"));
    expect((await failure(cloud.down(zone, state))).message).toMatch(/cannot be deleted because there are/);
    expect(await rows()).toHaveLength(1);
  });

  test("to be ours by the time of its removal is left alone", async () => {
    const state = await up();
    await byHand(state.id, { "details[0].key": "cloudstack-testbed", "details[0].value": markText(theirs) });
    expect((await cloud.down(zone, state)).join()).toMatch(/warning: is in a zone of somebody else by now/);
    expect(await rows()).toHaveLength(1);
  });

  test("to be looked at keeps what was seen last, with a warning", async () => {
    const state = await up();
    const context = { ...testContext(), operation: "read" as const, signal: AbortSignal.timeout(30_000) };
    cloud.proxy.spoil("listZones", { status: 503, text: "" }, { times: 99 });
    expect(await zone.observe(context, state, state)).toEqual({ inputs: {}, outputs: { id: state.id } });
    expect(context.phases.join()).toMatch(/warning: cannot be looked at/);
  }, 60_000);
});

describe("an enabled zone", () => {
  const enable = (change = {}, previous?: never) => cloud.up(zoneEnablement, { zone: "z0", ...change }, previous);

  test("that was switched off by hand is seen and switched on again", async () => {
    const { id } = await up();
    await cloud.client.changeAndWait("createPhysicalNetwork", { zoneid: id, name: "p" });
    const [network] = await cloud.client.list<Row>("listPhysicalNetworks", "physicalnetwork");
    const physicalnetworkid = network?.id ?? "";
    for (const traffictype of ["Management", "Public"])
      await cloud.client.changeAndWait("addTrafficType", { physicalnetworkid, traffictype });
    const state = await enable();
    await byHand(id, { allocationstate: "Disabled" });
    expect(await cloud.refresh(zoneEnablement, state)).toEqual({ state: "Disabled" });
    await enable();
    expect((await rows())[0]?.allocationstate).toBe("Enabled");
    await cloud.down(zoneEnablement, state);
    expect((await rows())[0]?.allocationstate).toBe("Disabled");
    await cloud.client.changeAndWait("deletePhysicalNetwork", { id: physicalnetworkid });
  });

  test("is refused by the server while it is not complete", async () => {
    await up();
    const error = await failure(enable());
    expect(error.message).toMatch(/Management/);
    expect((await rows())[0]?.allocationstate).toBe("Disabled");
  });

  test("of somebody else is refused", async () => {
    await foreign("z0", markText(theirs));
    expect(await failure(enable())).toMatchObject({ code: "foreign" });
  });

  test("that does not exist is an error", async () => {
    expect(await failure(enable())).toMatchObject({ code: "absent" });
  });
});
