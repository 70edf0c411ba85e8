import { netmaskOf } from "./addresses.ts";
import type { StackConfiguration } from "./config.ts";
import type { Inventory } from "./inventory.ts";

/** What every machine has in common that cobbler installs. */
export interface PlannedInstallation {
  name: string;
  fqdn: string;
  mac: string;
  address: string;
  netmask: string;
  gateway: string;
  nameServers: string[];
  profile: string;
  distro: string;
  os: { id: string; version: string };
  generation: string;
  firmware: "bios" | "uefi";
  /** Its role in appliance/. */
  role: string;
  /** Why it runs this profile. */
  why: string;
}

export function fqdnOf(inventory: Inventory, name: string, network: string): string {
  return `${name}.${inventory.networks[network]?.domain ?? "localdomain"}`;
}

/** How a machine of the inventory gets a profile; undefined when the inventory has not both. */
export function installation(
  inventory: Inventory,
  config: StackConfiguration,
  name: string,
  profileName: string,
  about: { role: string; why: string },
): PlannedInstallation | undefined {
  const machine = inventory.machines[name];
  const profile = inventory.profiles[profileName];
  const network = machine && inventory.networks[machine.network];
  if (!machine || !profile || !network) return undefined;
  // A machine asks the driver where it is in the machine's own network.
  const driverAddress = inventory.driver.addresses[machine.network] ?? inventory.driver.address;
  return {
    name,
    fqdn: fqdnOf(inventory, name, machine.network),
    mac: machine.mac,
    address: machine.address,
    netmask: netmaskOf(network.cidr),
    gateway: network.gateway ?? driverAddress,
    nameServers: [driverAddress],
    profile: profileName,
    distro: profile.distro,
    os: profile.os,
    generation: config.generations[name] ?? config.generation,
    firmware: machine.firmware,
    ...about,
  };
}
