import ipaddr from "ipaddr.js";

/** An address as a number, for ranges. */
export function addressNumber(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function bounds(cidr: string): { first: number; last: number } {
  const [address, length] = ipaddr.IPv4.parseCIDR(cidr);
  const size = 2 ** (32 - length);
  const first = Math.floor(addressNumber(address.toString()) / size) * size;
  return { first, last: first + size - 1 };
}

/** Why no machine of the network can have the address; undefined when one can. */
export function unusable(address: string, cidr: string): string | undefined {
  const { first, last } = bounds(cidr);
  const number = addressNumber(address);
  if (number < first || number > last) return `${address} is outside ${cidr}`;
  if (number === first) return `${address} is the network address of ${cidr}`;
  if (number === last) return `${address} is the broadcast address of ${cidr}`;
  return undefined;
}
