import { kvm } from "./kvm.ts";
import { xen } from "./xen.ts";

/** What an environment is told by its hypervisor, beside the profile that the stack names. */
export interface Hypervisor {
  /** As marvin configurations name it. */
  name: string;
  /** The role of its hosts in appliance/. */
  role: string;
}

const hypervisors: readonly Hypervisor[] = [kvm, xen];

/** CloudStack does not mind the case of a hypervisor's name. One that is not known here gets time and keys, and no more. */
export function hypervisorOf(name: string): Hypervisor {
  return hypervisors.find((one) => one.name.toLowerCase() === name.toLowerCase()) ?? { name, role: "base" };
}
