import { addressNumber, type Bounds, cidrOf, contains, networkBounds, overlap, unusable } from "../addresses.ts";
import type { Finding } from "../findings.ts";
import { isSimulated, type Marvin } from "../marvin.ts";
import type { Found } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/** A range of addresses that CloudStack gives out. */
export interface AddressRange extends Bounds {
  kind: "pod" | "public" | "guest";
  what: string;
  /** Index of its zone. */
  zone: number;
  /** Whether its zone has machines. */
  real: boolean;
  vlan: string;
  gateway: string;
  cidr: string;
  path: Path;
  text: string;
}

/** Every range of a marvin configuration that has the right form. */
export function addressRanges(marvin: Found<Marvin>): AddressRange[] {
  return (marvin.zones ?? []).flatMap((zone, z) => {
    const real = !isSimulated(zone);
    const where = zone.name ?? `zone ${z + 1}`;
    const read = (kind: AddressRange["kind"], what: string, path: Path, one: Found<Raw>): AddressRange[] => {
      const { startip, endip, gateway, netmask, vlan = "" } = one;
      if (!startip || !endip || !gateway || !netmask) return [];
      const bounds = { first: addressNumber(startip), last: addressNumber(endip) };
      return [{ kind, what, zone: z, real, vlan, gateway, cidr: cidrOf(gateway, netmask), path, text: `${startip}–${endip}`, ...bounds }];
    };
    return [
      ...(zone.pods ?? []).flatMap((pod, p) => [
        ...read("pod", `pod ${pod.name} of ${where}`, ["zones", z, "pods", p], pod),
        ...(pod.guestIpRanges ?? []).flatMap((range, r) =>
          read("guest", `guest range ${r + 1} of pod ${pod.name}`, ["zones", z, "pods", p, "guestIpRanges", r], range),
        ),
      ]),
      ...(zone.ipranges ?? []).flatMap((range, r) =>
        read("public", `public range ${r + 1} of ${where}`, ["zones", z, "ipranges", r], range),
      ),
    ];
  });
}

interface Raw {
  startip: string;
  endip: string;
  gateway: string;
  netmask: string;
  vlan?: string | undefined;
}

/** Whether the ranges of a marvin configuration are possible, each for itself and together. */
export function checkRanges(marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const sound: AddressRange[] = [];
  for (const range of addressRanges(marvin)) {
    if (range.first > range.last) {
      add(source, "TB123", [...range.path, "startip"], {
        what: `${range.what} ends before it starts (${range.text})`,
        why: "the server refuses it in the middle of the deployment",
        remedy: "swap the two",
      });
      continue;
    }
    findings.push(...checkAlone(range, source));
    const other = sound.find((one) => collide(one, range));
    if (other)
      add(source, "TB123", [...range.path, "startip"], {
        what: `${range.what} (${range.text}) overlaps ${other.what} (${other.text})`,
        why: "one address would be given out twice",
        remedy: "separate the ranges",
      });
    sound.push(range);
  }
  return [...findings, ...checkSubnets(marvin, sound, source)];
}

function checkAlone(range: AddressRange, source: Source): Finding[] {
  const { findings, add } = collector();
  const bad = unusable(range.gateway, range.cidr);
  if (bad)
    add(source, "TB111", [...range.path, "gateway"], {
      what: `the gateway of ${range.what} cannot be one: ${bad}`,
      why: "nothing of the range would reach another network",
      remedy: "give the router's own address",
    });
  if (contains(range, range.gateway))
    add(source, "TB123", [...range.path, "gateway"], {
      what: `the gateway ${range.gateway} lies in ${range.what} (${range.text})`,
      why: "the server refuses such a range: it would give out the router's address",
      remedy: "begin the range after the gateway",
    });
  const network = networkBounds(range.cidr);
  if (range.first <= network.first || range.last >= network.last)
    add(source, "TB123", [...range.path, range.first <= network.first || range.first >= network.last ? "startip" : "endip"], {
      what: `${range.what} (${range.text}) does not lie inside ${range.cidr}, the network of its gateway and netmask`,
      why: "the server refuses it, or gives out addresses that do not work",
      remedy: "correct the range, the gateway or the netmask",
    });
  return findings;
}

/** Inside a zone one address is one address; zones may use the same ones behind different VLANs, and simulated ones everywhere. */
function collide(one: AddressRange, other: AddressRange): boolean {
  if (!overlap(one, other)) return false;
  return one.zone === other.zone || (one.real && other.real && one.vlan === other.vlan);
}

/** What the server refuses of networks within one zone (recorded answers of release 4.20.3.0). */
function checkSubnets(marvin: Found<Marvin>, ranges: readonly AddressRange[], source: Source): Finding[] {
  const { findings, add } = collector();
  const podsMayShare = (marvin.globalConfig ?? []).some((one) => one.name === "check.pod.cidrs" && one.value?.toLowerCase() === "false");
  ranges.forEach((range, index) => {
    const earlier = ranges
      .slice(0, index)
      .filter((one) => one.zone === range.zone && one.kind === range.kind && overlap(networkBounds(one.cidr), networkBounds(range.cidr)));
    const pod = range.kind === "pod" && !podsMayShare ? earlier[0] : undefined;
    if (pod)
      add(source, "TB123", [...range.path, "gateway"], {
        what: `the network ${range.cidr} of ${range.what} overlaps that of ${pod.what} (${pod.cidr})`,
        why: "the server refuses the pod: the subnet conflicts with another pod's",
        remedy: 'give each pod its own network, or set the global setting check.pod.cidrs to "false"',
      });
    const tagged = range.kind === "public" ? earlier.find((one) => one.vlan !== range.vlan) : undefined;
    if (tagged)
      add(source, "TB123", [...range.path, "gateway"], {
        what: `${range.what} (VLAN ${range.vlan || "none"}) is in the network of ${tagged.what} (VLAN ${tagged.vlan || "none"})`,
        why: "the server refuses one network behind two VLANs",
        remedy: "give each VLAN its own network",
      });
  });
  return findings;
}
