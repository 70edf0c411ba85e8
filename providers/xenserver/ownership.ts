import { findMark, type Mark, sameMark } from "../kernel/index.ts";
import { defineOwnership, type Holding, refuseChanged } from "../kernel/ownership.ts";
import { Xapi } from "./client.ts";
import { allVms, diskMark, MARK_KEY, ownDisks, ownVm, vmMark } from "./find.ts";
import type { VirtualMachineInputs } from "./inputs.ts";
import type { Found, VmRecord } from "./records.ts";
import { virtualMachine } from "./virtual-machine.ts";

/** The VM of this name that a stack made, and which one. A copy of it is nobody's, and so is what was made by hand: `up` refuses both. */
async function heldVm(xapi: Xapi, name: string): Promise<{ vm: Found<VmRecord>; holder: Mark } | undefined> {
  const vms = await allVms(xapi);
  for (const { name_label: label, other_config: config } of Object.values(vms)) {
    const holder = label === name ? findMark(config[MARK_KEY] ?? "") : undefined;
    const vm = holder && ownVm(xapi, vms, holder, name);
    if (vm && !vm.record.is_a_template) return { vm, holder };
  }
  return undefined;
}

/** In one call: what is cut off in between must not be nobody's. */
function mark(xapi: Xapi, kind: "VM" | "VDI", { ref, record }: Found<{ other_config: Record<string, string> }>, text: string) {
  return xapi.call(`${kind}.set_other_config`, ref, { ...record.other_config, [MARK_KEY]: text });
}

defineOwnership<VirtualMachineInputs>(virtualMachine.type, {
  async holdings(context, { server, name }) {
    const xapi = new Xapi(context, server);
    const held = await xapi.step(() => heldVm(xapi, name));
    return held ? [{ object: `VM ${name}`, system: xapi.system, holder: held.holder }] : [];
  },
  async take(context, { server, name }, holding: Holding) {
    const xapi = new Xapi(context, server);
    await xapi.step(async () => {
      const held = await heldVm(xapi, name);
      // An attempt whose answer was lost has taken it already.
      if (sameMark(held?.holder, context.mark)) return;
      refuseChanged(holding, held?.holder);
      if (!held) return;
      // Disks first: with the VM the take is done, and would not be tried again.
      for (const disk of await ownDisks(xapi, held.holder, name)) await mark(xapi, "VDI", disk, diskMark(context.mark, name));
      await mark(xapi, "VM", held.vm, vmMark(context.mark, name, held.vm.record.uuid));
    });
  },
});
