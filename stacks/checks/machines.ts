import { addressNumber, unusable } from "../addresses.ts";
import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { didYouMean, type Found, lookup } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/** Something of the site that has an address of its own. */
export interface FixedAddress {
  owner: string;
  address: string;
  path: Path;
  /** Name of the network that it must be in, where one is named. */
  network?: string;
}

/** Every address of the inventory that must answer for one thing only. */
export function fixedAddresses(inventory: Found<Inventory>): FixedAddress[] {
  const fixed: FixedAddress[] = [];
  const add = (owner: string, address: string | undefined, path: Path, network?: string) => {
    // A host name stands for an address that is known elsewhere.
    if (address !== undefined && /^[\d.]+$/.test(address))
      fixed.push({ owner, address, path, ...(network === undefined ? {} : { network }) });
  };
  add("the driver", inventory.driver?.address, ["driver", "address"]);
  for (const [network, address] of Object.entries(inventory.driver?.addresses ?? {}))
    add(`the driver in ${network}`, address, ["driver", "addresses", network], network);
  for (const [name, server] of Object.entries(inventory.xenServers ?? {})) add(name, server.address, ["xenServers", name, "address"]);
  for (const [name, machine] of Object.entries(inventory.machines ?? {})) {
    add(name, machine.address, ["machines", name, "address"], machine.network);
    add(`the BMC of ${name}`, machine.bmc?.address, ["machines", name, "bmc", "address"]);
  }
  return fixed;
}

/** Whether every name, MAC, address and BMC belongs to one thing only. */
export function checkUnique(inventory: Found<Inventory>, source: Source): Finding[] {
  const { findings, add } = collector();
  const taken = new Map<string, string>();
  const claim = (what: string, value: string | undefined, owner: string, path: Path) => {
    if (value === undefined) return;
    // DNS does not mind the case of a name.
    const key = `${what} ${value.toLowerCase()}`;
    const other = taken.get(key);
    if (other === undefined) taken.set(key, owner);
    else
      add(source, "TB110", path, {
        what: `${what} ${value} of ${owner} is that of ${other} already`,
        why: "two machines would answer for one, now and then",
        remedy: "give each its own",
      });
  };
  claim("name", inventory.driver?.name, "the driver", ["driver", "name"]);
  claim("MAC", inventory.driver?.mac, "the driver", ["driver", "mac"]);
  for (const name of Object.keys(inventory.xenServers ?? {})) claim("name", name, `the XenServer ${name}`, ["xenServers", name]);
  for (const [name, machine] of Object.entries(inventory.machines ?? {})) {
    const path = ["machines", name];
    claim("name", name, name, path);
    claim("MAC", machine.mac, name, [...path, "mac"]);
    if (machine.bmc?.address) claim("BMC", `${machine.bmc.address}:${machine.bmc.port}`, name, [...path, "bmc"]);
  }
  const shared = new Set<string>();
  for (const { owner, address, path } of fixedAddresses(inventory)) {
    // Several BMCs may share an address by their ports: those are told apart above.
    if (path.at(-2) === "bmc" && shared.has(address)) continue;
    if (path.at(-2) === "bmc") shared.add(address);
    claim("address", address, owner, path);
  }
  return findings;
}

/** Whether everything with an address can have it: inside its network, and not where DHCP gives out others. */
export function checkPlaces(inventory: Found<Inventory>, source: Source): Finding[] {
  const { findings, add } = collector();
  if (!inventory.networks) return findings;
  const { networks } = inventory;
  for (const { owner, address, path, network: name } of fixedAddresses(inventory)) {
    const network = name === undefined ? undefined : lookup(networks, name);
    if (name !== undefined && !network)
      add(source, "TB112", path[0] === "machines" ? [...path.slice(0, 2), "network"] : path, {
        what: `${owner} is in the network ${name}, which is not defined${didYouMean(name, Object.keys(networks))}`,
        why: "its netmask and gateway are unknown",
        remedy: "name one of `networks`",
      });
    const bad = network?.cidr && unusable(address, network.cidr);
    if (bad)
      add(source, "TB111", path, {
        what: `${owner} cannot have its address: ${bad}`,
        why: "it would not be reachable",
        remedy: "correct the address or the network",
      });
    const range = Object.values(networks)
      .flatMap((one) => one.dynamic ?? [])
      .find(({ from, to }) => from && to && addressNumber(address) >= addressNumber(from) && addressNumber(address) <= addressNumber(to));
    if (range)
      add(source, "TB113", path, {
        what: `${address} of ${owner} lies in the dynamic range ${range.from}–${range.to}`,
        why: "DHCP may give it to another machine",
        remedy: "move the address, or shorten the range",
      });
    // A driver may well be the router.
    if (path[0] === "machines" && network?.gateway === address)
      add(source, "TB110", path, {
        what: `${address} of ${owner} is the gateway of the network ${name}`,
        why: "traffic for other networks would go to this machine",
        remedy: "give it another address",
      });
  }
  return findings;
}
