// What the guest of a VM does by itself, what nobody asked for, and what must not be seen.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { retry } from "../../providers/kernel/index.ts";
import { closeSharedSsh, connectSsh } from "../../providers/transport/ssh.ts";
import { markedVms } from "../../providers/xenserver/index.ts";
import { labCredentials, ours, testContext, theirs } from "../support/context.ts";
import { labState } from "../support/lab.ts";
import { coordinator, LightVm, member, Pool, until } from "../support/xen-server.ts";

const vm = new LightVm();
const pool = new Pool();
const { server } = vm.given;
let state: Awaited<ReturnType<LightVm["up"]>>["state"];

const file = join(labState(), "log/console-management.log");
/** The console also has what other VMs of this name said before. */
const began = existsSync(file) ? statSync(file).size : 0;
const said = () => readFileSync(file).subarray(began).toString("latin1");
const networkBoots = () => said().split("netboot: boot script").length - 1;

/** Runs a command in the guest a moment after the connection to it is closed. */
async function guest(command: string): Promise<void> {
  const target = { address: vm.given.address, user: "root", privateKey: labCredentials.hosts?.privateKey ?? "" };
  // It may be on its way back from a reboot.
  const open = await retry(testContext().signal, () => connectSsh(target));
  try {
    await open.exec(["sh", "-c", `(sleep 0.3; ${command}) >/dev/null 2>&1 </dev/null &`]);
  } finally {
    open.close();
  }
}

beforeAll(async () => {
  await pool.api.connect();
  await vm.around.prepare();
  state = (await vm.up()).state;
});

afterAll(async () => {
  await vm.down();
  await vm.around.remove();
  await pool.api.disconnect();
  await closeSharedSsh();
});

describe("a guest", () => {
  test("that was installed has booted from the network twice: to be installed, and to be sent to its disk", () => {
    expect(networkBoots()).toBe(2);
    expect(said()).toContain("netboot: local disk");
  });

  test("that reboots asks the network again, and its VM goes on running", async () => {
    await guest("reboot -f");
    await until("the network boot", async () => networkBoots() === 3);
    await vm.again({}, state);
    const [record] = await pool.vms();
    expect(record.power_state).toBe("Running");
  });

  test("that switches itself off halts its VM, which the next change starts again", async () => {
    await guest("poweroff -f");
    await until("the VM to be halted", async () => (await pool.vms())[0].power_state === "Halted");
    const { outputs } = await vm.again({}, state);
    expect(outputs.tokenFingerprint).toBe(state.tokenFingerprint);
    expect((await pool.vms())[0].power_state).toBe("Running");
  });
});

test("neither password nor session is in anything that the provider gives back", async () => {
  const context = testContext();
  const { outputs, phases } = await vm.up({}, state, context);
  state = { ...state, ...outputs };
  const text = JSON.stringify([outputs, phases]);
  expect(text).not.toContain(labCredentials.xenserver?.password);
  expect(text).not.toContain("OpaqueRef:");
});

describe("what carries a mark on the server", () => {
  const marked = markedVms(server);
  const names = async () => (await marked.list(testContext())).map(({ object }) => object);

  test("is listed with its holder, whoever asks, and found by the address of any host of the pool", async () => {
    const [one, ...more] = await marked.list(testContext(theirs));
    expect({ one, more }).toEqual({
      one: { key: "vm/management", object: "VM management", marks: [ours], servers: [coordinator.address, member.address] },
      more: [],
    });
    expect(marked.keysOf({ type: "xenserver:VirtualMachine", stack: ours.stack, inputs: { name: "management" } })).toEqual([one?.key]);
  });

  test("is listed once, where the coordinator is asked", async () => {
    const { tlsSha256 } = coordinator;
    const ofMember = markedVms({ ...server, ...member, members: { [coordinator.address]: tlsSha256 } });
    expect(await ofMember.list(testContext())).toEqual([]);
  });

  test("of another owner stays when it is to be removed", async () => {
    for (const one of await marked.list(testContext())) await marked.remove(testContext(theirs), one);
    expect((await pool.vms()).length).toBe(1);
  });

  test("is VMs, disks and half-made clones; they are removed, and nothing else", async () => {
    const neighbour = await pool.makeVm("neighbour");
    const [template] = await pool.api.call("VM.get_by_name_label", "Other install media");
    const mark = "cloudstack-testbed:cloudstack-testbed/contract/00000000000000aa";
    await pool.api.call("VM.clone", template, `half (being made by ${mark})`);
    expect(await names()).toEqual(["VM half", "VM management"]);
    for (const one of await marked.list(testContext())) await marked.remove(testContext(), one);
    expect((await pool.all("VM")).map((one) => one.name_label).sort()).toEqual([
      "Control domain on host: xenserver",
      "Other install media",
      "neighbour",
    ]);
    expect(await pool.disks()).toEqual([]);
    expect(await names()).toEqual([]);
    await pool.api.call("VM.destroy", neighbour);
  });
});
