import { TestbedError } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import { findNetwork } from "./find.ts";
import type { VirtualMachineInputs } from "./inputs.ts";
import type { Found, NetworkRecord, Records, VifRecord, VmRecord } from "./records.ts";

/** The device number of the interface that boots. */
const DEVICE = "0";

export interface Interface {
  ref: string;
  mac: string;
  bridge: string;
}

export async function readInterface(xapi: Xapi, vm: Found<VmRecord>): Promise<Interface | undefined> {
  const vifs = await Promise.all(vm.record.VIFs.map(async (ref) => ({ ref, record: await xapi.call<VifRecord>("VIF.get_record", ref) })));
  const vif = vifs.find(({ record }) => record.device === DEVICE);
  if (!vif) return undefined;
  const network = await xapi.call<NetworkRecord>("network.get_record", vif.record.network);
  return { ref: vif.ref, mac: vif.record.MAC.toLowerCase(), bridge: network.bridge };
}

/** Gives a halted VM its interface. MAC and network of one cannot be changed, so another one takes its place. */
export async function replaceInterface(
  xapi: Xapi,
  vm: Found<VmRecord>,
  present: Interface | undefined,
  inputs: VirtualMachineInputs,
): Promise<void> {
  await refuseDuplicate(xapi, vm, inputs);
  const network = await findNetwork(xapi, inputs.bridge);
  if (present) await xapi.call("VIF.destroy", present.ref);
  await xapi.call("VIF.create", {
    VM: vm.ref,
    network: network.ref,
    device: DEVICE,
    MAC: inputs.mac,
    MTU: 1500,
    other_config: {},
    qos_algorithm_type: "",
    qos_algorithm_params: {},
  });
}

/** XAPI takes the same MAC twice without a word (xapi facts §4). */
async function refuseDuplicate(xapi: Xapi, vm: Found<VmRecord>, inputs: VirtualMachineInputs): Promise<void> {
  const all = Object.values(await xapi.call<Records<VifRecord>>("VIF.get_all_records"));
  const other = all.find((record) => record.MAC.toLowerCase() === inputs.mac && record.VM !== vm.ref);
  if (!other) return;
  const holder = await xapi.call<VmRecord>("VM.get_record", other.VM);
  throw new TestbedError({
    system: xapi.system,
    object: `VM ${inputs.name}`,
    kind: "conflict",
    code: "duplicate-mac",
    message: `its MAC ${inputs.mac} is that of the VM ${holder.name_label} (${holder.uuid})`,
    remedy: "remove that VM or its interface, or correct the inventory",
  });
}
