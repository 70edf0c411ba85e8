import type { Context } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import { allDisks, isOurs, sweepDisks } from "./disk.ts";
import { explain, isGone, XapiFailure } from "./errors.ts";
import { allVms, birthName, ownVm } from "./find.ts";
import type { VirtualMachineInputs } from "./inputs.ts";
import { vmPower } from "./power.ts";
import type { Found, Records, VmRecord } from "./records.ts";

type Removal = Pick<VirtualMachineInputs, "name" | "powerSeconds">;

/** Switches a VM of ours off and removes it. Its disks stay for `removeLeftovers`: XAPI never removes them with it. */
async function removeVm(context: Context, xapi: Xapi, vm: Found<VmRecord>, inputs: Removal): Promise<void> {
  const { ref, record } = vm;
  // Asked first: a VM that must not be removed shall not be found switched off either.
  for (const operation of ["hard_shutdown", "destroy"]) {
    const reason = record.blocked_operations[operation];
    if (reason !== undefined)
      throw explain(xapi.system, `VM ${inputs.name}`, new XapiFailure("OPERATION_BLOCKED", [ref, `${operation}: ${reason}`]));
  }
  for (const { vdi } of await allDisks(xapi, vm)) {
    if (!isOurs(vdi.record, context.mark))
      context.warn(`the disk ${vdi.record.name_label} (${vdi.record.uuid}) of ${inputs.name} is not ours: it was left as it is`);
  }
  context.phase("powering off");
  await vmPower(context, xapi, record.uuid, inputs.powerSeconds).set("off");
  context.phase("removing the VM and its disk");
  await xapi.run("VM.destroy", [ref], inputs.powerSeconds).catch(unlessGone(ref));
}

/** Removes the VM of ours with this name, its disks, and what attempts that were cut off left of it. Absent is success. */
export async function removeAll(context: Context, xapi: Xapi, name: string, powerSeconds: number): Promise<void> {
  const vms = await allVms(xapi);
  const own = ownVm(xapi, vms, context.mark, name);
  if (own) await removeVm(context, xapi, own, { name, powerSeconds });
  await removeLeftovers(context, xapi, vms, birthName(context.mark, name), name);
}

/** What attempts that were cut off left: clones without a mark, disks without a VM; and the disks of the VM just removed. */
async function removeLeftovers(context: Context, xapi: Xapi, vms: Records<VmRecord>, born: string, name: string): Promise<void> {
  for (const [ref, record] of Object.entries(vms))
    if (record.name_label === born) await xapi.call("VM.destroy", ref).catch(unlessGone(ref));
  await sweepDisks(context, xapi, name);
}

function unlessGone(ref: string): (error: unknown) => void {
  return (error) => {
    if (!isGone(error, ref)) throw error;
  };
}
