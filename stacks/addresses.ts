import ipaddr from "ipaddr.js";

/** Addresses as numbers, both ends included. */
export interface Bounds {
  first: number;
  last: number;
}

/** An address as a number, for ranges. */
export function addressNumber(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** From the network's own address to its broadcast address. */
export function networkBounds(cidr: string): Bounds {
  const [address, length] = ipaddr.IPv4.parseCIDR(cidr);
  const size = 2 ** (32 - length);
  const first = Math.floor(addressNumber(address.toString()) / size) * size;
  return { first, last: first + size - 1 };
}

/** The network that an address and a netmask say. */
export function cidrOf(address: string, netmask: string): string {
  const length = ipaddr.IPv4.parse(netmask).prefixLengthFromSubnetMask() ?? 32;
  const { first } = networkBounds(`${address}/${length}`);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${length}`;
}

export function netmaskOf(cidr: string): string {
  return ipaddr.IPv4.subnetMaskFromPrefixLength(Number(cidr.split("/")[1])).toString();
}

export function overlap(one: Bounds, other: Bounds): boolean {
  return one.first <= other.last && other.first <= one.last;
}

export function contains(range: Bounds, address: string): boolean {
  const number = addressNumber(address);
  return number >= range.first && number <= range.last;
}

/** Why no machine of the network can have the address; undefined when one can. */
export function unusable(address: string, cidr: string): string | undefined {
  const { first, last } = networkBounds(cidr);
  const number = addressNumber(address);
  if (number < first || number > last) return `${address} is outside ${cidr}`;
  if (number === first) return `${address} is the network address of ${cidr}`;
  if (number === last) return `${address} is the broadcast address of ${cidr}`;
  return undefined;
}
