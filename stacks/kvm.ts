import type { Hypervisor } from "./hypervisor.ts";

export const kvm: Hypervisor = { name: "KVM", role: "kvm-host" };
