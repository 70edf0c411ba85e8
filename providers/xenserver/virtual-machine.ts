import { endInstall } from "../cobbler/index.ts";
import { awaitProved, ensureInstalled, type InstallationOutputs, observeInstallation, wantedInstallation } from "../installation/index.ts";
import { type Context, defineResource } from "../kernel/index.ts";
import { Xapi } from "./client.ts";
import { allVms, ownVm } from "./find.ts";
import { type VirtualMachineInputs, type VirtualMachineOutputs, virtualMachineInputs, virtualMachineOutputs } from "./inputs.ts";
import { ensureVm } from "./make.ts";
import { type VmPower, vmPower } from "./power.ts";
import type { Found, VmRecord } from "./records.ts";
import { removeAll } from "./remove.ts";
import { changesOf, readShape } from "./shape.ts";

const notInstalled: InstallationOutputs = { tokenFingerprint: "", hostKey: "", osRelease: "", installedAt: "", installed: "", phases: [] };

/** Makes the VM what is wanted of it; it is shut down where it runs and that is needed. @returns whether what was installed is lost by that */
async function converge(
  context: Context,
  xapi: Xapi,
  vm: Found<VmRecord>,
  inputs: VirtualMachineInputs,
  power: VmPower,
  installing: boolean,
): Promise<boolean> {
  let lost = false;
  await xapi.step(async () => {
    const ref = await xapi.call<string>("VM.get_by_uuid", vm.record.uuid);
    const record = await xapi.call<VmRecord>("VM.get_record", ref);
    const changes = await changesOf(context, xapi, { ref, record }, inputs, installing);
    if (changes.length === 0) return;
    context.touched();
    lost ||= changes.some((change) => change.installs);
    const what = changes.map((change) => change.what).join(", ");
    if (record.power_state !== "Halted" && changes.some((change) => !change.running)) {
      context.phase(`shutting down to change ${what}`);
      await (installing || lost ? power.set("off") : power.shutDown());
    }
    context.phase(`changing ${what}`);
    for (const change of changes) await change.apply();
  });
  return lost;
}

export const virtualMachine = defineResource<VirtualMachineInputs, VirtualMachineOutputs>({
  type: "xenserver:VirtualMachine",
  summary: "A VM of a XenServer or XCP-ng that boots from the network, was installed by cobbler and has proved it over SSH.",
  inputs: virtualMachineInputs,
  outputs: virtualMachineOutputs,
  replaceOn: ["name", "system"],
  deadlineSeconds: 5400,
  id: (inputs) => `vm/${inputs.name}`,
  async observe(context, inputs, previous) {
    const xapi = new Xapi(context, inputs.server);
    const seen = await xapi.step(async () => {
      const vm = ownVm(xapi, await allVms(xapi), context.mark, inputs.name);
      return vm && !vm.record.is_a_template ? { uuid: vm.record.uuid, shape: await readShape(xapi, vm) } : undefined;
    });
    if (!seen) return undefined;
    // Another VM than the one of the state has nothing of its installation.
    const same = previous === undefined || previous.uuid === seen.uuid;
    const proof = same ? await observeInstallation(context, inputs, previous) : undefined;
    return { inputs: { ...seen.shape, ...proof?.inputs }, outputs: { ...(proof?.outputs ?? notInstalled), uuid: seen.uuid } };
  },
  async reconcile(context, inputs, observed) {
    const xapi = new Xapi(context, inputs.server);
    const vm = await xapi.step(() => ensureVm(context, xapi, inputs));
    const { uuid } = vm.record;
    const power = vmPower(context, xapi, uuid, inputs.powerSeconds);
    const proved = observed?.outputs.uuid === uuid && observed.outputs.hostKey !== "" ? observed.outputs : undefined;
    const installing = proved?.installed !== wantedInstallation(inputs);
    const lost = await converge(context, xapi, vm, inputs, power, installing);
    const outputs = await ensureInstalled(context, inputs, power, lost ? undefined : proved);
    if (outputs === proved && (await power.status()) === "off") {
      context.phase("starting");
      await power.set("on");
      await awaitProved(context, inputs, proved);
    }
    return { ...outputs, uuid };
  },
  async remove(context, state) {
    const xapi = new Xapi(context, state.server);
    if (!(await endInstall(context, state.cobbler, state.system)))
      context.warn(`the system ${state.system} belongs to another stack by now: it was left as it is`);
    await xapi.step(() => removeAll(context, xapi, state.name, state.powerSeconds));
  },
});
