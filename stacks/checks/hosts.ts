import { addressNumber, cidrOf, contains, overlap, unusable } from "../addresses.ts";
import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { type Marvin, type MarvinHost, marvinHosts } from "../marvin.ts";
import { didYouMean, type Found, lookup } from "../schema.ts";
import type { Source } from "../sources/index.ts";
import { collector } from "./collect.ts";
import { fixedAddresses } from "./machines.ts";
import { addressRanges } from "./ranges.ts";

export interface SiteSources {
  inventory: Source;
  marvin: Source;
}

/** Whether the hosts of a marvin configuration are machines of the inventory that can be used so. */
export function checkHosts(inventory: Found<Inventory>, marvin: Found<Marvin>, sources: SiteSources): Finding[] {
  const { findings, add } = collector();
  const { machines } = inventory;
  if (!machines) return findings;
  const seen = new Map<string, MarvinHost>();
  for (const host of marvinHosts(marvin)) {
    const machine = lookup(machines, host.name);
    if (!machine) {
      add(sources.marvin, "TB120", host.path, {
        what: `host ${host.name} of cluster ${host.cluster} is not in the inventory${didYouMean(host.name, Object.keys(machines))}`,
        why: "nothing is known of its MAC, its address or its BMC, so it can be neither installed nor reached",
        remedy: `add it to ${sources.inventory.file}, or name a machine that is there`,
      });
      continue;
    }
    const other = seen.get(host.name);
    if (other)
      add(sources.marvin, "TB110", host.path, {
        what: `host ${host.name} of cluster ${host.cluster} stands in cluster ${other.cluster} already`,
        why: "a host belongs to one cluster",
        remedy: "remove one of the two",
      });
    seen.set(host.name, host);
    if (machine.state && machine.state !== "active")
      add(sources.marvin, "TB121", host.path, {
        what: `host ${host.name} is ${machine.state} in the inventory`,
        why: "a machine that is out of service fails the run",
        remedy: `set its state to active in ${sources.inventory.file}, or take another`,
      });
    if (machine.roles && !machine.roles.includes("hypervisor"))
      add(sources.marvin, "TB121", host.path, {
        what: `host ${host.name} is no hypervisor: its roles are ${machine.roles.join(", ") || "none"}`,
        why: "it would be re-imaged, and what it serves would be gone",
        remedy: `add the role in ${sources.inventory.file}, or take another machine`,
      });
    if (!machine.bmc)
      add(sources.inventory, "TB103", ["machines", host.name, "bmc"], {
        what: `${host.name} has no BMC`,
        why: "it cannot be started from the network",
        remedy: "add `bmc: { address: … }`",
      });
    findings.push(...checkPodNetwork(host, machine.address, marvin, sources.marvin));
  }
  return findings;
}

function checkPodNetwork(host: MarvinHost, address: string | undefined, marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const [, z, , p] = host.path as [string, number, string, number];
  const pod = marvin.zones?.[z]?.pods?.[p];
  if (!address || !pod?.gateway || !pod.netmask) return findings;
  const cidr = cidrOf(pod.gateway, pod.netmask);
  const bad = unusable(address, cidr);
  if (bad)
    add(source, "TB126", host.path, {
      what: `host ${host.name} cannot be in pod ${host.pod}: ${bad}`,
      why: "the server refuses a host whose address is not in its pod's network",
      remedy: "put it into a pod of its own network, or correct gateway and netmask of the pod",
    });
  return findings;
}

/** Whether an address that answers for a machine is in a range from which CloudStack or DHCP gives out others. */
export function checkGivenOut(inventory: Found<Inventory>, marvin: Found<Marvin>, sources: SiteSources): Finding[] {
  const { findings, add } = collector();
  const fixed = fixedAddresses(inventory);
  const networks = Object.entries(inventory.networks ?? {});
  for (const range of addressRanges(marvin).filter((one) => one.real)) {
    for (const { owner, address } of fixed.filter((one) => contains(range, one.address)))
      add(sources.marvin, "TB113", [...range.path, "startip"], {
        what: `${range.what} (${range.text}) contains ${address}, the address of ${owner}`,
        why: "CloudStack would give it to a VM",
        remedy: "shorten the range, or move the address",
      });
    for (const [name, network] of networks) {
      const dynamic = (network.dynamic ?? []).find(
        ({ from, to }) => from && to && overlap(range, { first: addressNumber(from), last: addressNumber(to) }),
      );
      if (dynamic)
        add(sources.marvin, "TB113", [...range.path, "startip"], {
          what: `${range.what} (${range.text}) overlaps the dynamic range ${dynamic.from}–${dynamic.to} of ${name}`,
          why: "DHCP and CloudStack would both give out the same address",
          remedy: "separate the two",
        });
    }
  }
  return findings;
}
