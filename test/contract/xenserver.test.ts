// xenserver:VirtualMachine against the lab's XenServer with light guests: made, adopted, refused, changed, installed anew, removed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { failure, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { LightVm, Pool } from "../support/xen-server.ts";

const GIB = 2 ** 30;
const vm = new LightVm();
const pool = new Pool();
const call = (method: string, ...params: unknown[]) => pool.api.call(method, ...params);
let state: Awaited<ReturnType<LightVm["up"]>>["state"];

beforeAll(async () => {
  await pool.api.connect();
  await vm.around.prepare();
});

afterEach(() => fault("xenserver", "clear"));

afterAll(async () => {
  await vm.down();
  await vm.around.remove();
  await pool.api.disconnect();
  await closeSharedSsh();
});

describe("a new VM", () => {
  test("is made, boots from the network, is installed and proves it", async () => {
    const { phases, ...made } = await vm.up();
    state = made.state;
    expect(phases[0]).toBe("making the VM");
    expect(phases.at(-1)).toBe("SSH ok, lab-hv 1, token ok");
    expect(state.installed).toBe("1 hosts-hv contract");
    const [record] = await pool.vms();
    expect(record).toMatchObject({ uuid: state.uuid, power_state: "Running", HVM_boot_params: { order: "nc", firmware: "bios" } });
    expect(record.other_config["cloudstack-testbed"]).toContain(state.uuid);
    const memory = [record.memory_static_min, record.memory_dynamic_min, record.memory_dynamic_max, record.memory_static_max];
    expect(memory.map(Number)).toEqual(Array(4).fill(GIB / 4));
    const [disk] = await pool.disks();
    expect(disk).toMatchObject({ name_label: "management disk" });
    const [vbd] = await pool.all("VBD");
    expect(vbd).toMatchObject({ other_config: { owner: "" }, userdevice: "0", bootable: true });
    expect((await pool.all("VIF")).map((one) => one.MAC)).toEqual(["52:54:00:91:00:41"]);
  });

  test("is left alone by the next run", async () => {
    const before = await pool.vms();
    expect((await vm.again({}, state)).phases).toEqual([]);
    expect(await pool.vms()).toEqual(before);
  });

  test("is adopted after its state was lost, without touching it", async () => {
    const { outputs, phases } = await vm.again();
    expect(phases).toEqual([]);
    expect(outputs).toMatchObject({ uuid: state.uuid, tokenFingerprint: state.tokenFingerprint, installed: state.installed });
  });

  test("of another stack is refused, naming the holder", async () => {
    const error = await failure(vm.again({}, undefined, testContext(theirs)));
    expect(error).toMatchObject({ kind: "conflict", code: "foreign" });
    expect(error.message).toContain("belongs to cloudstack-testbed:cloudstack-testbed/contract/00000000000000aa");
  });

  test("of another stack is not removed", async () => {
    await vm.down(testContext(theirs));
    expect((await pool.vms()).map((one) => one.power_state)).toEqual(["Running"]);
  });
});

describe("a change while it runs", () => {
  const running = async (change: Parameters<LightVm["again"]>[0]) => {
    const before = await call("VM.get_domid", await call("VM.get_by_uuid", state.uuid));
    const changed = await vm.again(change, state);
    const [record] = await pool.vms();
    expect(record.power_state).toBe("Running");
    expect(changed.outputs.tokenFingerprint).toBe(state.tokenFingerprint);
    return { record, phases: changed.phases, restarted: record.domid !== before };
  };

  test("of the name or boot order made by hand is put right without a restart", async () => {
    const ref = await pool.ref();
    await call("VM.set_HVM_boot_params", ref, { order: "c", firmware: "bios" });
    await call("VM.set_name_label", ref, "renamed");
    const { record, restarted, phases } = await running({});
    expect(phases).toEqual(["changing name, boot order"]);
    expect(record).toMatchObject({ name_label: "management", HVM_boot_params: { order: "nc", firmware: "bios" } });
    expect(restarted).toBe(false);
  });

  test.each([
    ["memory", { memoryMiB: 512 }, (record: { memory_static_max: unknown }) => Number(record.memory_static_max) === GIB / 2],
    ["CPUs up", { memoryMiB: 512, cpus: 3 }, (record: { VCPUs_max: unknown }) => Number(record.VCPUs_max) === 3],
    ["CPUs down", { memoryMiB: 512, cpus: 2 }, (record: { VCPUs_at_startup: unknown }) => Number(record.VCPUs_at_startup) === 2],
  ])("of %s restarts it and keeps what is installed", async (_, change, changed) => {
    const { record, restarted, phases } = await running(change);
    expect(phases[0]).toContain("shutting down to change");
    expect(restarted).toBe(true);
    expect(changed(record)).toBe(true);
  });

  test("of the network gives it another interface, and a larger disk stays the same one", async () => {
    const [disk] = await pool.disks();
    const { restarted } = await running({ bridge: "xenbr1", diskGiB: 2 });
    expect(restarted).toBe(true);
    const [vif] = await pool.all("VIF");
    expect(await call("network.get_bridge", vif.network)).toBe("xenbr1");
    expect((await pool.disks()).map((one) => [one.uuid, Number(one.virtual_size)])).toEqual([[disk.uuid, 2 * GIB]]);
  });

  test("of a guest without tools switches it off", async () => {
    await fault("xenserver", "no-tools");
    const { record } = await running({ memoryMiB: 256, diskGiB: 2 });
    expect(Number(record.memory_static_max)).toBe(GIB / 4);
  });

  test("to a smaller disk is refused, and a new generation gets a new one", async () => {
    const error = await failure(vm.again({}, state));
    expect(error).toMatchObject({ kind: "invalid", code: "disk-shrinks" });
    const [before] = await pool.disks();
    state = (await vm.up({}, state)).state;
    const [disk, ...others] = await pool.disks();
    expect([others, Number(disk.virtual_size)]).toEqual([[], GIB]);
    expect(disk.uuid).not.toBe(before.uuid);
    expect(state.installed).toBe("2 hosts-hv contract");
  });
});

describe("drift", () => {
  beforeEach(async () => {
    if ((await pool.vms())[0].power_state !== "Halted") await call("VM.hard_shutdown", await pool.ref());
  });

  afterAll(async () => {
    state = (await vm.again({}, state)).state;
  });

  const rows: [string, () => Promise<unknown>, object][] = [
    ["memory", async () => call("VM.set_memory_limits", await pool.ref(), GIB, GIB, GIB, GIB), { memoryMiB: 1024 }],
    [
      "CPUs",
      async () => call("VM.set_VCPUs_max", await pool.ref(), 4).then(async () => call("VM.set_VCPUs_at_startup", await pool.ref(), 4)),
      { cpus: 4 },
    ],
    ["firmware", async () => call("VM.set_HVM_boot_params", await pool.ref(), { order: "nc", firmware: "uefi" }), { firmware: "uefi" }],
    ["the interface", async () => call("VIF.destroy", (await call("VIF.get_all"))[0]), { mac: "", bridge: "" }],
    ["the disk", async () => call("VBD.destroy", (await call("VBD.get_all"))[0]), { diskGiB: 0 }],
  ];
  test.each(rows)("of %s is seen and mended", async (_, change, seen) => {
    await change();
    expect((await vm.look(state))?.inputs).toMatchObject(seen);
    state = (await vm.again({}, state)).state;
    expect((await vm.look(state))?.inputs).toEqual({
      memoryMiB: 256,
      cpus: 1,
      diskGiB: 1,
      mac: vm.given.mac,
      bridge: "xenbr0",
      firmware: "bios",
    });
    expect((await pool.disks()).length).toBe(1);
  });

  test("to off is none, but the next change starts it", async () => {
    expect((await vm.look(state))?.inputs).not.toHaveProperty("generation");
    await vm.again({}, state);
    expect((await pool.vms())[0].power_state).toBe("Running");
  });

  test("a VM deleted by hand is gone, is made anew, and its disk is used again", async () => {
    await fault("management", "deleted");
    expect(await vm.look(state)).toBeUndefined();
    const before = state;
    state = (await vm.again({}, state)).state;
    expect(state.uuid).not.toBe(before.uuid);
    expect(state.tokenFingerprint).not.toBe(before.tokenFingerprint);
    expect((await pool.disks()).length).toBe(1);
  });
});

describe("removal", () => {
  test("of a protected VM is refused with the reason, and it goes on running", async () => {
    await call("VM.set_blocked_operations", await pool.ref(), { destroy: "keep" });
    const error = await failure(vm.down());
    expect(error).toMatchObject({ kind: "conflict", code: "OPERATION_BLOCKED" });
    expect(error.message).toContain("destroy: keep");
    expect((await pool.vms())[0].power_state).toBe("Running");
    await call("VM.set_blocked_operations", await pool.ref(), {});
  });

  test("takes the VM and its disks, also one that nothing is attached to, and nothing else", async () => {
    const [disk] = await pool.disks();
    const values = { ...disk, virtual_size: GIB, name_label: "theirs", other_config: {} };
    const theirDisk = await call("VDI.create", values);
    await call("VDI.create", { ...values, other_config: disk.other_config });
    const attachment = {
      bootable: false,
      mode: "RW",
      type: "Disk",
      empty: false,
      other_config: {},
      qos_algorithm_type: "",
      qos_algorithm_params: {},
    };
    await call("VBD.create", { ...attachment, VM: await pool.ref(), VDI: theirDisk, userdevice: "1" });
    const other = await pool.makeVm("neighbour");
    const phases = await vm.down();
    expect(phases.join()).toContain("theirs");
    expect(await pool.vms()).toEqual([]);
    expect((await pool.disks()).map((one) => one.name_label)).toEqual(["theirs"]);
    expect((await pool.vms("neighbour")).length).toBe(1);
    await call("VDI.destroy", theirDisk);
    await call("VM.destroy", other);
  });

  test("of what is not there is done", async () => {
    await expect(vm.down()).resolves.toEqual([]);
  });
});
