import { isInRange, type Range } from "./addresses.ts";
import type { Database, Row } from "./database.ts";

/** Addresses of a pod that are somebody's: those of its hosts, as far as they are in its ranges, and of its system VMs. */
export function privateAddresses(database: Database, pod: Row): Set<string> {
  const hosts = database.table("host").filter((host) => host.podId === pod.id && host.type === "Routing");
  const instances = database.table("instance").filter((vm) => vm.podId === pod.id && vm.privateIp);
  const all = [...hosts.map((host) => String(host.ipAddress)), ...instances.map((vm) => String(vm.privateIp))];
  return new Set(all.filter((address) => (pod.ranges as Range[]).some((range) => isInRange(address, range))));
}

/** Addresses of an IP range that are somebody's: of system VMs, routers and user VMs, and the source NAT of networks. */
export function rangeAddresses(database: Database, vlan: Row): string[] {
  const instances = database.table("instance").flatMap((vm) => [vm.publicIp, vm.guestIp].filter((one) => typeof one === "string"));
  const networks = database.table("network").flatMap((network) => (network.sourceNatIp ? [network.sourceNatIp] : []));
  const all = new Set([...instances, ...networks].map(String));
  return [...all].filter((address) => isInRange(address, vlan as unknown as Range));
}
