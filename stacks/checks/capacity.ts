import type { Finding } from "../findings.ts";
import type { Marvin } from "../marvin.ts";
import type { Found } from "../schema.ts";
import type { Source } from "../sources/index.ts";
import { collector } from "./collect.ts";
import { addressRanges } from "./ranges.ts";
import { vlanRanges } from "./vlans.ts";

/** Management addresses of a pod beyond those of its system VMs: routers (VMware) and VMs of the tests. */
const SPARE_IN_POD = 4;
/** Public addresses of a zone beyond those of its system VMs: the tests run in five processes, each with source and static NAT. */
const SPARE_PUBLIC = 10;
/** Addresses of an advanced zone with security groups beyond those of its system VMs: no NAT, so guests alone; upstream's own has as many. */
const SPARE_SHARED = 6;
/** Guest VLANs of a zone: five test processes hold two isolated networks each. */
const GUEST_VLANS = 10;

type FoundZone = NonNullable<Found<Marvin>["zones"]>[number];

/** A console proxy, and one secondary-storage VM per image store; twice, since a destroyed one's address comes back late. */
function systemVms(zone: FoundZone): number {
  return 2 * (1 + Math.max(1, zone.secondaryStorages?.length ?? 0));
}

/** Whether the ranges hold what their zones need. */
export function checkCapacity(marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const ranges = addressRanges(marvin).filter((one) => one.first <= one.last);
  const size = (one: { first: number; last: number }) => one.last - one.first + 1;
  const why = "system VMs, routers or tests would stop for want of an address";
  for (const range of ranges.filter((one) => one.kind === "pod")) {
    const needed = systemVms(marvin.zones?.[range.zone] ?? ({} as FoundZone)) + SPARE_IN_POD;
    if (size(range) < needed)
      add(source, "TB125", [...range.path, "endip"], {
        what: `${range.what} has ${size(range)} addresses (${range.text}); it needs ${needed}`,
        why,
        remedy: "extend the range",
      });
  }
  (marvin.zones ?? []).forEach((zone, z) => {
    const own = ranges.filter((one) => one.zone === z && one.kind === (zone.networktype === "Basic" ? "guest" : "public"));
    const [total, needed] = [
      own.reduce((sum, one) => sum + size(one), 0),
      systemVms(zone) + (isShared(zone) ? SPARE_SHARED : SPARE_PUBLIC),
    ];
    if (own.length > 0 && total < needed)
      add(source, "TB125", [...(own[0]?.path ?? []), "endip"], {
        what: `the ${own[0]?.kind} ranges of ${zone.name} have ${total} addresses; it needs ${needed}`,
        why,
        remedy: "extend a range, or add one",
      });
    findings.push(...checkGuestVlans(zone, z, source));
  });
  return findings;
}

const isShared = (zone: FoundZone) => zone.networktype === "Advanced" && zone.securitygroupenabled === true;

function checkGuestVlans(zone: FoundZone, z: number, source: Source): Finding[] {
  const { findings, add } = collector();
  // With security groups every guest is in the one shared network.
  if (zone.networktype !== "Advanced" || isShared(zone)) return findings;
  const networks = zone.physical_networks ?? [];
  const ranges = networks.flatMap((network) => vlanRanges(network.vlan));
  const count = ranges.reduce((sum, { first, last }) => sum + (last >= first ? last - first + 1 : 0), 0);
  const at = networks.findIndex((network) => network.vlan !== undefined);
  if (at >= 0 && count > 0 && count < GUEST_VLANS)
    add(source, "TB125", ["zones", z, "physical_networks", at, "vlan"], {
      what: `${zone.name} has ${count} guest VLANs; the tests need ${GUEST_VLANS}`,
      why: "isolated networks of tests that run at the same time would get none",
      remedy: "extend the range",
    });
  return findings;
}
