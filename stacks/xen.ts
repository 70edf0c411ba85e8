import type { Hypervisor } from "./hypervisor.ts";

export const xen: Hypervisor = { name: "XenServer", role: "xenserver-host" };
