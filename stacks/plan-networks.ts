import type { PlannedDevice, PlannedPhysicalNetwork, PlannedProvider, PlannedTrafficType } from "./cloud-plan.ts";
import type { Marvin } from "./marvin-schema.ts";
import { given, numbered, planLogin } from "./plan-parts.ts";

type Zone = Marvin["zones"][number];
type Network = Zone["physical_networks"][number];
type Provider = Network["providers"][number];

/** Providers of which marvin adds devices; of the others it reads none. */
export const DEVICE_PROVIDERS: readonly string[] = ["Netscaler", "JuniperSRX", "F5BigIp", "NiciraNvp"];

const LABELS = ["kvm", "xen", "vmware", "hyperv", "ovm3"] as const;

export function carriesGuests(network: Network): boolean {
  return network.traffictypes.some(({ typ }) => typ === "Guest");
}

export function planNetworks(zone: Zone): PlannedPhysicalNetwork[] {
  const several = zone.physical_networks.filter(carriesGuests).length > 1;
  const first = zone.physical_networks.findIndex(carriesGuests);
  return numbered(
    zone.physical_networks.map((network, index) => {
      // 4.0 wrote the range at the zone: it is that of the first network with guests.
      const vlans = () => network.vlan ?? (index === first ? zone.vlan : undefined);
      const name = `${zone.name}/${network.name}`;
      // Of two networks with guests the server wants to know each by a tag, which marvin never sends.
      const tag = network.tags[0] ?? (several && carriesGuests(network) ? network.name : undefined);
      return {
        name,
        called: network.name,
        ...given("isolationMethod", network.isolationmethods[0]),
        ...given("tag", tag),
        // The server refuses guest VLANs in a Basic zone.
        ...given("vlans", zone.networktype === "Basic" ? undefined : vlans()),
        trafficTypes: network.traffictypes.map((one) => trafficType(name, one)),
        providers: network.providers.map((one) => provider(name, one)),
      };
    }),
  );
}

/** 4.0 kept the labels one level deeper. */
function trafficType(network: string, one: Network["traffictypes"][number]): PlannedTrafficType {
  const labels = LABELS.flatMap((hypervisor) => {
    const label = one[hypervisor] ?? one.labeldict?.[hypervisor];
    return label === undefined ? [] : [[hypervisor, label]];
  });
  return { name: `${network}/${one.typ}`, type: one.typ, labels: Object.fromEntries(labels) };
}

function provider(network: string, one: Provider): PlannedProvider {
  const name = `${network}/${one.name}`;
  const devices = DEVICE_PROVIDERS.includes(one.name) ? one.devices : [];
  return { name, called: one.name, devices: numbered(devices.map((device) => planDevice(name, device))) };
}

/** What is neither login nor kind becomes a part of the device's address, as marvin makes it. */
function planDevice(providerName: string, device: Provider["devices"][number]): PlannedDevice {
  const { hostname, networkdevicetype } = device;
  const own = ["hostname", "username", "password", "networkdevicetype"];
  const parameters = Object.keys(device)
    .filter((key) => !own.includes(key) && device[key] != null)
    .map((key) => [key, String(device[key])]);
  return {
    name: `${providerName}/${hostname}`,
    hostname,
    ...planLogin(device, "networkDevices"),
    ...given("type", networkdevicetype),
    parameters: Object.fromEntries(parameters),
  };
}
