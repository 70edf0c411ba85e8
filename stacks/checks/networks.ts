import { addressNumber, type Bounds, networkBounds, overlap, unusable } from "../addresses.ts";
import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import type { Found } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/** Whether the inventory's networks, their gateways and their dynamic ranges agree with each other. */
export function checkNetworks(inventory: Found<Inventory>, source: Source): Finding[] {
  const { findings, add } = collector();
  const seen: { name: string; bounds: Bounds }[] = [];
  for (const [name, network] of Object.entries(inventory.networks ?? {})) {
    if (network.cidr === undefined) continue;
    const path = ["networks", name];
    const bounds = networkBounds(network.cidr);
    if (addressNumber(network.cidr.split("/")[0] as string) !== bounds.first)
      add(source, "TB111", [...path, "cidr"], {
        what: `${network.cidr} of ${name} is an address in a network, not a network`,
        why: "it is unclear which of the two is meant",
        remedy: "give the network's first address",
      });
    const other = seen.find((one) => overlap(one.bounds, bounds));
    if (other)
      add(source, "TB114", [...path, "cidr"], {
        what: `the network ${name} (${network.cidr}) overlaps the network ${other.name}`,
        why: "it is unknown in which of them an address is",
        remedy: "separate them",
      });
    seen.push({ name, bounds });
    const bad = network.gateway && unusable(network.gateway, network.cidr);
    if (bad)
      add(source, "TB111", [...path, "gateway"], {
        what: `the gateway of ${name} cannot be one: ${bad}`,
        why: "every machine of the network would be cut off",
        remedy: "give the router's own address",
      });
    findings.push(...checkDynamic(name, network, bounds, path, source));
  }
  return findings;
}

type Network = Found<Inventory["networks"][string]>;

function checkDynamic(name: string, network: Network, bounds: Bounds, path: Path, source: Source): Finding[] {
  const { findings, add } = collector();
  const ranges: Bounds[] = [];
  (network.dynamic ?? []).forEach(({ from, to }, index) => {
    if (from === undefined || to === undefined) return;
    const range = { first: addressNumber(from), last: addressNumber(to) };
    const what = fault(range, bounds, ranges);
    if (what)
      add(source, "TB114", [...path, "dynamic", index, "from"], {
        what: `the dynamic range ${from}–${to} of ${name} ${what}`,
        why: "DHCP would give out addresses that do not work, or none",
        remedy: "correct the range",
      });
    else ranges.push(range);
    if (network.gateway && addressNumber(network.gateway) >= range.first && addressNumber(network.gateway) <= range.last)
      add(source, "TB113", [...path, "gateway"], {
        what: `the gateway ${network.gateway} of ${name} lies in the dynamic range ${from}–${to}`,
        why: "DHCP may give the router's address to a machine",
        remedy: "shorten the range",
      });
  });
  return findings;
}

function fault(range: Bounds, network: Bounds, earlier: readonly Bounds[]): string | undefined {
  if (range.first > range.last) return "ends before it starts";
  if (range.first <= network.first || range.last >= network.last) return "does not lie inside its network";
  if (earlier.some((one) => overlap(one, range))) return "overlaps another one";
  return undefined;
}
