import type { Context } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import { allVms, birthName, findTemplate, MARK_KEY, ownVm, refuseForeign, vmMark } from "./find.ts";
import type { VirtualMachineInputs } from "./inputs.ts";
import type { Found, VmRecord } from "./records.ts";

/** The VM of ours with this name, made where there is none, completed where an attempt was cut off. */
export async function ensureVm(context: Context, xapi: Xapi, inputs: VirtualMachineInputs): Promise<Found<VmRecord>> {
  const { name } = inputs;
  const { mark } = context;
  const vms = await allVms(xapi);
  const own = ownVm(xapi, vms, mark, name);
  if (own && !own.record.is_a_template) return own;
  if (!own) refuseForeign(xapi, vms, mark, name);
  context.touched();
  context.phase("making the VM");
  const ref = own?.ref ?? (await cloneTemplate(context, xapi, vms, inputs));
  // Where the template names disks, provisioning would make them.
  await xapi.call("VM.remove_from_other_config", ref, "disks");
  await xapi.call("VM.provision", ref);
  await xapi.call("VM.set_name_label", ref, name);
  return { ref, record: await xapi.call<VmRecord>("VM.get_record", ref) };
}

/** Clones the template and marks the clone. A clone whose marking was cut off is known by its name. */
async function cloneTemplate(context: Context, xapi: Xapi, vms: Record<string, VmRecord>, inputs: VirtualMachineInputs): Promise<string> {
  const born = birthName(context.mark, inputs.name);
  const left = Object.entries(vms).find(([, record]) => record.name_label === born);
  const ref = left?.[0] ?? (await xapi.call<string>("VM.clone", findTemplate(xapi, vms, inputs.template).ref, born));
  const uuid = await xapi.call<string>("VM.get_uuid", ref);
  await xapi.call("VM.remove_from_other_config", ref, MARK_KEY);
  await xapi.call("VM.add_to_other_config", ref, MARK_KEY, vmMark(context.mark, inputs.name, uuid));
  return ref;
}
