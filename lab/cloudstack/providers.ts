import type { Database, Row } from "./database.ts";

/** Network services of the providers that release 4.20 knows; none: it only knows the name. */
const routerServices = ["Vpn", "Dhcp", "Dns", "Gateway", "Firewall", "Lb", "SourceNat", "StaticNat", "PortForwarding", "UserData"];
const vpcServices = routerServices.filter((service) => service !== "Firewall");
export const providerServices: Record<string, string[]> = {
  VirtualRouter: routerServices,
  SecurityGroupProvider: ["SecurityGroup"],
  VpcVirtualRouter: vpcServices,
  BaremetalPxeProvider: [],
  BaremetalDhcpProvider: ["Dhcp"],
  BaremetalUserdataProvider: ["UserData"],
  InternalLbVm: ["Lb"],
  ConfigDrive: ["Dhcp", "Dns", "UserData"],
  Netscaler: ["Firewall", "Lb", "StaticNat"],
  JuniperSRX: ["Vpn", "Gateway", "Firewall", "SourceNat", "StaticNat", "PortForwarding"],
  F5BigIp: ["Lb"],
  NiciraNvp: ["Connectivity", "SourceNat", "StaticNat", "PortForwarding"],
  Ovs: ["Connectivity"],
  JuniperContrailRouter: ["Connectivity"],
};

/** Those that only work for all of their services together. */
export const wholeProviders = new Set(["SecurityGroupProvider", "BaremetalPxeProvider", "BaremetalDhcpProvider"]);
/** Providers whose element has to be configured before they can be enabled. */
export const elementProviders = new Set(["VirtualRouter", "VpcVirtualRouter", "InternalLbVm"]);
/** In the order in which they are listed; two come enabled (cloudstack-observed facts 23). */
const first: [name: string, state: string][] = [
  ["ConfigDrive", "Enabled"],
  ["InternalLbVm", "Disabled"],
  ["BaremetalPxeProvider", "Enabled"],
  ["VpcVirtualRouter", "Disabled"],
  ["SecurityGroupProvider", "Disabled"],
  ["VirtualRouter", "Disabled"],
];

const inBasicZone = [
  ...["InternalLbVm", "BaremetalUserdataProvider", "BaremetalPxeProvider", "BaremetalDhcpProvider"],
  ...["VpcVirtualRouter", "SecurityGroupProvider", "VirtualRouter"],
].map((name): [string, string] => [name, "Disabled"]);

export function addProvider(database: Database, physicalNetwork: Row, name: string, state: string): Row {
  const provider = database.insert("provider", {
    name,
    physicalNetworkId: physicalNetwork.id,
    state,
    services: providerServices[name] ?? [],
  });
  if (elementProviders.has(name)) database.insert("element", { providerId: provider.id, enabled: false });
  return provider;
}

/** What a new physical network has of itself. */
export function addProviders(database: Database, physicalNetwork: Row): void {
  const zone = database.find(physicalNetwork.zoneId);
  for (const [name, state] of zone?.networkType === "Basic" ? inBasicZone : first) addProvider(database, physicalNetwork, name, state);
}
