import { type Context, TestbedError } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import { attachedDisk, growDisk, makeDisk, removeDisk, sizeGiB } from "./disk.ts";
import type { VirtualMachineInputs } from "./inputs.ts";
import { readInterface, replaceInterface } from "./interface.ts";
import { BOOT_ORDER } from "./power.ts";
import type { Found, VmRecord } from "./records.ts";

const MIB = 2 ** 20;
const BOOT_POLICY = "BIOS order";

/** One difference between the VM and what is wanted of it. */
export interface Change {
  what: string;
  /** Whether it can be made while the VM runs (xapi facts §6). */
  running: boolean;
  /** Whether the installed system does not survive it. */
  installs?: true;
  apply(): Promise<unknown>;
}

/** What the VM is, in the words of the inputs. */
export async function readShape(xapi: Xapi, vm: Found<VmRecord>): Promise<Partial<VirtualMachineInputs>> {
  const [disk, nic] = await Promise.all([attachedDisk(xapi, vm), readInterface(xapi, vm)]);
  return {
    memoryMiB: Number(vm.record.memory_static_max) / MIB,
    cpus: Number(vm.record.VCPUs_at_startup),
    diskGiB: disk ? sizeGiB(disk) : 0,
    mac: nic?.mac ?? "",
    bridge: nic?.bridge ?? "",
    firmware: firmwareOf(vm.record),
  };
}

const firmwareOf = (record: VmRecord) => (record.HVM_boot_params.firmware === "uefi" ? "uefi" : "bios");

/** Everything that differs, in the order in which it is changed. `installing`: what is on the disk will be overwritten in any case. */
export async function changesOf(
  context: Context,
  xapi: Xapi,
  vm: Found<VmRecord>,
  inputs: VirtualMachineInputs,
  installing: boolean,
): Promise<Change[]> {
  const [disk, nic] = await Promise.all([attachedDisk(xapi, vm), readInterface(xapi, vm)]);
  const changes = [
    ...nameChange(xapi, vm, inputs),
    ...memoryChange(xapi, vm, inputs),
    ...cpuChange(xapi, vm, inputs),
    ...bootChange(xapi, vm, inputs),
  ];
  if (nic?.mac !== inputs.mac || nic.bridge !== inputs.bridge)
    changes.push({ what: "interface", running: false, apply: () => replaceInterface(xapi, vm, nic, inputs) });
  if (!disk) changes.push({ what: "disk", running: false, installs: true, apply: () => makeDisk(context, xapi, vm, inputs) });
  else if (sizeGiB(disk) < inputs.diskGiB) changes.push({ what: "disk", running: false, apply: () => growDisk(xapi, disk, inputs) });
  else if (sizeGiB(disk) > inputs.diskGiB) {
    if (!installing) throw cannotShrink(xapi, inputs, sizeGiB(disk));
    const shrink = async () => {
      await removeDisk(context, xapi, disk, inputs.name);
      await makeDisk(context, xapi, vm, inputs);
    };
    changes.push({ what: "disk", running: false, installs: true, apply: shrink });
  }
  return changes;
}

function nameChange(xapi: Xapi, { ref, record }: Found<VmRecord>, { name }: VirtualMachineInputs): Change[] {
  if (record.name_label === name) return [];
  return [{ what: "name", running: true, apply: () => xapi.call("VM.set_name_label", ref, name) }];
}

function memoryChange(xapi: Xapi, { ref, record }: Found<VmRecord>, { memoryMiB }: VirtualMachineInputs): Change[] {
  const bytes = memoryMiB * MIB;
  const { memory_static_min, memory_static_max, memory_dynamic_min, memory_dynamic_max } = record;
  const limits = [memory_static_min, memory_dynamic_min, memory_dynamic_max, memory_static_max];
  if (limits.every((limit) => Number(limit) === bytes)) return [];
  // All four the same: that satisfies the order, and pools whose licence has no dynamic memory (xapi facts §4).
  return [{ what: "memory", running: false, apply: () => xapi.call("VM.set_memory_limits", ref, bytes, bytes, bytes, bytes) }];
}

function cpuChange(xapi: Xapi, { ref, record }: Found<VmRecord>, { cpus }: VirtualMachineInputs): Change[] {
  const most = Number(record.VCPUs_max);
  if (most === cpus && Number(record.VCPUs_at_startup) === cpus) return [];
  // Never more at start-up than at most.
  const setters = cpus > most ? ["VM.set_VCPUs_max", "VM.set_VCPUs_at_startup"] : ["VM.set_VCPUs_at_startup", "VM.set_VCPUs_max"];
  const apply = async () => {
    for (const setter of setters) await xapi.call(setter, ref, cpus);
  };
  return [{ what: "CPUs", running: false, apply }];
}

function bootChange(xapi: Xapi, { ref, record }: Found<VmRecord>, { firmware }: VirtualMachineInputs): Change[] {
  const changes: Change[] = [];
  const params = record.HVM_boot_params;
  const other = firmwareOf(record) !== firmware;
  if (params.order !== BOOT_ORDER || params.firmware !== firmware)
    changes.push({
      what: "boot order",
      running: !other,
      ...(other ? { installs: true } : {}),
      apply: () => xapi.call("VM.set_HVM_boot_params", ref, { ...params, order: BOOT_ORDER, firmware }),
    });
  if (record.HVM_boot_policy !== BOOT_POLICY)
    changes.push({ what: "boot policy", running: true, apply: () => xapi.call("VM.set_HVM_boot_policy", ref, BOOT_POLICY) });
  return changes;
}

function cannotShrink(xapi: Xapi, inputs: VirtualMachineInputs, seen: number): TestbedError {
  return new TestbedError({
    system: xapi.system,
    object: `disk of VM ${inputs.name}`,
    kind: "invalid",
    code: "disk-shrinks",
    message: `expected ${inputs.diskGiB} GiB, seen ${seen} GiB: a disk cannot be made smaller`,
    remedy: "raise the generation: a new installation gets a new disk; or give the old size",
  });
}
