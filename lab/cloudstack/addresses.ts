/** IPv4 addresses as numbers; NaN for what is none. */
export function addressNumber(text: string | undefined): number {
  const parts = (text ?? "").split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return Number.NaN;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export const isAddress = (text: string | undefined) => !Number.isNaN(addressNumber(text));

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The length of a netmask's prefix; undefined for what is no netmask. */
export function prefixLength(netmask: string | undefined): number | undefined {
  const bits = addressNumber(netmask).toString(2).padStart(32, "0");
  return /^1*0*$/.test(bits) && bits.length === 32 ? bits.lastIndexOf("1") + 1 : undefined;
}

/** The first address of the subnet that an address is in. */
export function subnetStart(address: string, prefix: number): number {
  const size = 2 ** (32 - prefix);
  return Math.floor(addressNumber(address) / size) * size;
}

export function cidr(gateway: string, netmask: string): string {
  const prefix = prefixLength(netmask) ?? 32;
  return `${addressText(subnetStart(gateway, prefix))}/${prefix}`;
}

/** The last address of a subnet that a host can have. */
export function lastAddress(gateway: string, netmask: string): string {
  const prefix = prefixLength(netmask) ?? 32;
  return addressText(subnetStart(gateway, prefix) + 2 ** (32 - prefix) - 2);
}

export function isInSubnet(address: string, gateway: string, netmask: string): boolean {
  const prefix = prefixLength(netmask) ?? 32;
  return subnetStart(address, prefix) === subnetStart(gateway, prefix);
}

export interface Range {
  startip: string;
  endip: string;
}

export interface Subnet {
  gateway: string;
  netmask: string;
}

export function overlap(one: Range, other: Range): boolean {
  return addressNumber(one.startip) <= addressNumber(other.endip) && addressNumber(other.startip) <= addressNumber(one.endip);
}

export function subnetsOverlap(one: Subnet, other: Subnet): boolean {
  const [smaller, larger] = [one, other].sort((a, b) => (prefixLength(b.netmask) ?? 0) - (prefixLength(a.netmask) ?? 0)) as [
    Subnet,
    Subnet,
  ];
  return isInSubnet(smaller.gateway, larger.gateway, larger.netmask);
}

export const rangeSize = ({ startip, endip }: Range) => addressNumber(endip) - addressNumber(startip) + 1;

export function isInRange(address: string, { startip, endip }: Range): boolean {
  return addressNumber(address) >= addressNumber(startip) && addressNumber(address) <= addressNumber(endip);
}

/** The first address of a range that is not taken. */
export function freeAddress({ startip, endip }: Range, taken: ReadonlySet<string>): string | undefined {
  for (let address = addressNumber(startip); address <= addressNumber(endip); address++) {
    const text = addressText(address);
    if (!taken.has(text)) return text;
  }
  return undefined;
}
