// What a takeover moves on XenServer and on the puppet CA's driver: marks, and nothing else.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Mark, markText } from "../../providers/kernel/index.ts";
import { type Holding, ownershipOf } from "../../providers/kernel/ownership.ts";
import { certificate } from "../../providers/puppet/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { virtualMachine } from "../../providers/xenserver/index.ts";
import { apply, drop, failure, ours, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { askForCertificate, driver, listed, master } from "../support/puppet.ts";
import { LightVm, Pool } from "../support/xen-server.ts";

const third: Mark = { ...ours, owner: "00000000000000cc" };
const holdings = (type: string, inputs: object, mark = theirs) =>
  ownershipOf(type)?.holdings(testContext(mark), inputs as Record<string, unknown>) ?? Promise.resolve([]);
const take = async (type: string, inputs: object, holding: Holding | undefined, mark = theirs) =>
  ownershipOf(type)?.take(testContext(mark), inputs as Record<string, unknown>, holding as Holding);

afterAll(closeSharedSsh);

describe("a VM", () => {
  const vm = new LightVm();
  const pool = new Pool();

  beforeAll(async () => {
    await pool.api.connect();
    await vm.around.prepare();
  });
  afterEach(() => fault("xenserver", "clear"));
  afterAll(async () => {
    for (const mark of [ours, theirs]) await drop(virtualMachine, vm.given, testContext(mark));
    await vm.around.remove();
    await pool.api.disconnect();
  });

  test("is taken with its disk, stays the same one, and its old holder no longer finds it", async () => {
    const { outputs } = await vm.up();
    const [holding, ...more] = await holdings(virtualMachine.type, vm.given);
    expect([holding?.object, holding?.holder, more]).toEqual(["VM management", ours, []]);
    // Even where the answers get lost.
    await fault("xenserver", "connection-cut", "2");
    await take(virtualMachine.type, vm.given, holding);
    const marks = [...(await pool.vms()), ...(await pool.disks())].map((one) => one.other_config["cloudstack-testbed"]);
    expect(marks).toEqual([`${markText(theirs)} management ${outputs.uuid}`, `${markText(theirs)} management`]);
    expect(await virtualMachine.observe(testContext(theirs), vm.given, undefined)).toMatchObject({ outputs: { uuid: outputs.uuid } });
    await vm.down();
    expect((await pool.vms()).map((one) => [one.uuid, one.power_state])).toEqual([[outputs.uuid, "Running"]]);
  });

  test("that changed hands since it was shown is not taken", async () => {
    const [shown] = await holdings(virtualMachine.type, vm.given, third);
    await take(virtualMachine.type, vm.given, shown, ours);
    const error = await failure(take(virtualMachine.type, vm.given, shown, third));
    expect([error.kind, error.code]).toEqual(["conflict", "changed-hands"]);
    await vm.down();
  });

  test("that was made by hand is nobody's to take", async () => {
    const ref = await pool.makeVm("management");
    expect(await holdings(virtualMachine.type, vm.given)).toEqual([]);
    await pool.api.call("VM.destroy", ref);
  });
});

describe("a certificate's note", () => {
  const certname = "taken.lab.test";
  const given = certificate.inputs.parse({ server: driver, master, certname, generation: "1" });

  beforeEach(() => apply(certificate, given));
  afterEach(async () => {
    for (const mark of [ours, theirs]) await drop(certificate, given, testContext(mark));
  });

  test("is taken without the certificate being cleaned, and shuts its old holder out", async () => {
    await askForCertificate(certname, "key");
    const before = await listed(certname);
    const [holding] = await holdings(certificate.type, given);
    expect([holding?.object, holding?.holder]).toEqual([`certificate ${certname}`, ours]);
    await take(certificate.type, given, holding);
    expect((await apply(certificate, given, testContext(theirs))).phases).toEqual([]);
    expect(await listed(certname)).toBe(before);
    expect((await failure(apply(certificate, given))).message).toContain(`belongs to ${markText(theirs)}`);
  });

  test("that changed hands since it was shown is not taken", async () => {
    const [shown] = await holdings(certificate.type, given, third);
    await take(certificate.type, given, shown);
    const error = await failure(take(certificate.type, given, shown, third));
    expect([error.kind, error.message.includes(markText(theirs))]).toEqual(["conflict", true]);
  });

  test("of a certificate that was never cleaned is not there", async () => {
    expect(await holdings(certificate.type, { ...given, certname: "never.lab.test" })).toEqual([]);
  });
});
