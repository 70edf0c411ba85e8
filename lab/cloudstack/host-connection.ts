import type { Cloud } from "./cloud.ts";
import type { FoundHost } from "./hosts.ts";

export interface Target {
  hypervisor: string;
  address: string;
  username: string;
  password: string;
}

/** Connects to a real host, as the server does before it has a row for it. */
export async function connect(cloud: Cloud, target: Target, _url: string): Promise<FoundHost> {
  await cloud.pause(1);
  return {
    name: target.address,
    ipAddress: target.address,
    cores: 4,
    speed: 2400,
    memory: 8 * 2 ** 30,
    capabilities: target.hypervisor === "KVM" ? "hvm,snapshot" : "xen-3.0-x86_64 , hvm-3.0-x86_64",
    hypervisorVersion: "",
  };
}
