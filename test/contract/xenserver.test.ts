// xenserver:VirtualMachine against the lab's XenServer with light guests.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { testContext } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { type Answer, LightVm, xenApi } from "../support/xen-server.ts";

const vm = new LightVm();
const byHand = xenApi();

const records = async (kind: string) => Object.values((await byHand.call(`${kind}.get_all_records`)) as { [ref: string]: Answer });
const theVm = async () => (await records("VM")).find((one) => one.name_label === "management");

beforeAll(async () => {
  await byHand.connect();
  await vm.around.prepare();
});

afterEach(async () => {
  await fault("xenserver", "clear");
  await fault("management", "clear");
});

afterAll(async () => {
  await vm.down();
  await vm.around.remove();
  await byHand.disconnect();
  await closeSharedSsh();
});

describe("a new VM", () => {
  test("is made, boots from the network, is installed and proves it", async () => {
    const context = testContext();
    const { outputs, phases } = await vm.up({}, undefined, context);
    expect(phases.at(-1)).toBe("SSH ok, lab-hv 1, token ok");
    expect(outputs.installed).toBe("1 hosts-hv contract");
    const record = await theVm();
    expect(record).toMatchObject({ uuid: outputs.uuid, power_state: "Running", is_a_template: false, HVM_boot_params: { order: "nc" } });
  });
});
