import { type Context, findMark, type Mark, sameMark, TestbedError } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import { isGone } from "./errors.ts";
import { diskMark, findStorage, MARK_KEY, ownDisks } from "./find.ts";
import type { VirtualMachineInputs } from "./inputs.ts";
import { type Found, NULL_REF, type Records, type VbdRecord, type VdiRecord, type VmRecord } from "./records.ts";

const GIB = 2 ** 30;
/** The position of the VM's own disk. */
const POSITION = "0";

export interface AttachedDisk {
  vbd: string;
  vdi: Found<VdiRecord>;
}

/** What is attached as the VM's own disk. */
export async function attachedDisk(xapi: Xapi, vm: Found<VmRecord>): Promise<AttachedDisk | undefined> {
  for (const disk of await allDisks(xapi, vm)) if (disk.position === POSITION) return disk;
  return undefined;
}

export async function allDisks(xapi: Xapi, vm: Found<VmRecord>): Promise<(AttachedDisk & { position: string })[]> {
  const vbds = await Promise.all(vm.record.VBDs.map(async (ref) => ({ ref, record: await xapi.call<VbdRecord>("VBD.get_record", ref) })));
  const disks = vbds.filter(({ record }) => record.type === "Disk" && record.VDI !== NULL_REF);
  return Promise.all(
    disks.map(async ({ ref, record }) => ({
      vbd: ref,
      position: record.userdevice,
      vdi: { ref: record.VDI, record: await xapi.call<VdiRecord>("VDI.get_record", record.VDI) },
    })),
  );
}

export const sizeGiB = (disk: AttachedDisk) => Number(disk.vdi.record.virtual_size) / GIB;

export const isOurs = (vdi: VdiRecord, mark: Mark) => sameMark(findMark(vdi.other_config[MARK_KEY] ?? ""), mark);

/** Makes the disk of a VM and attaches it. A disk of an attempt that ended in between is used up first. */
export async function makeDisk(context: Context, xapi: Xapi, vm: Found<VmRecord>, inputs: VirtualMachineInputs): Promise<void> {
  const size = Math.round(inputs.diskGiB * GIB);
  const left = (await ownDisks(xapi, context.mark, inputs.name)).find(
    ({ record }) => record.VBDs.length === 0 && Number(record.virtual_size) === size,
  );
  const vdi = left?.ref ?? (await createVdi(context, xapi, inputs, size));
  await xapi.call("VBD.create", {
    VM: vm.ref,
    VDI: vdi,
    userdevice: POSITION,
    bootable: true,
    mode: "RW",
    type: "Disk",
    unpluggable: true,
    empty: false,
    // What lets `xe vm-uninstall` delete the disk with the VM: without it disks of removed VMs pile up (xapi facts §4).
    other_config: { owner: "" },
    qos_algorithm_type: "",
    qos_algorithm_params: {},
  });
}

async function createVdi(context: Context, xapi: Xapi, inputs: VirtualMachineInputs, size: number): Promise<string> {
  const storage = await findStorage(xapi, inputs.storage);
  return xapi.call<string>("VDI.create", {
    name_label: `${inputs.name} disk`,
    name_description: "made by cloudstack-testbed",
    SR: storage.ref,
    virtual_size: size,
    type: "user",
    sharable: false,
    read_only: false,
    other_config: { [MARK_KEY]: diskMark(context.mark, inputs.name) },
    xenstore_data: {},
    sm_config: {},
    tags: [],
  });
}

export async function growDisk(xapi: Xapi, disk: AttachedDisk, inputs: VirtualMachineInputs): Promise<void> {
  await xapi.call("VDI.resize", disk.vdi.ref, Math.round(inputs.diskGiB * GIB));
}

/** Detaches the disk of a halted VM and removes it. */
export async function removeDisk(context: Context, xapi: Xapi, disk: AttachedDisk, name: string): Promise<void> {
  if (!isOurs(disk.vdi.record, context.mark)) {
    throw new TestbedError({
      system: xapi.system,
      object: `disk of VM ${name}`,
      kind: "conflict",
      code: "foreign",
      message: `${disk.vdi.record.uuid} is attached as its own disk and does not carry our mark`,
      remedy: "detach it; it was left as it is",
    });
  }
  await xapi.call("VBD.destroy", disk.vbd);
  await xapi.call("VDI.destroy", disk.vdi.ref);
}

/** Removes disks of ours for this VM that nothing is attached to: what attempts that were cut off left behind. */
export async function sweepDisks(context: Context, xapi: Xapi, name: string): Promise<void> {
  for (const { ref, record } of await ownDisks(xapi, context.mark, name)) {
    const vbds = await xapi.call<Records<VbdRecord>>("VBD.get_all_records");
    if (Object.values(vbds).some((vbd) => vbd.VDI === ref)) {
      context.warn(`the disk ${record.uuid} of ${name} is attached to another VM: it was left as it is`);
      continue;
    }
    await xapi.call("VDI.destroy", ref).catch((error: unknown) => {
      if (!isGone(error, ref)) throw error;
    });
  }
}
