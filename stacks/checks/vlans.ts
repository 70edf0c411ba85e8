import { overlap } from "../addresses.ts";
import type { Finding } from "../findings.ts";
import { isSimulated, type Marvin } from "../marvin.ts";
import type { Found } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

interface VlanRange {
  what: string;
  first: number;
  last: number;
  /** Index of its zone. */
  zone: number;
  real: boolean;
  path: Path;
}

const MOST_VLAN = 4094;

/** Whether the guest VLANs are possible, and meet neither each other nor a public VLAN. */
export function checkVlans(marvin: Found<Marvin>, source: Source): Finding[] {
  const { findings, add } = collector();
  const guests: VlanRange[] = [];
  (marvin.zones ?? []).forEach((zone, z) => {
    (zone.physical_networks ?? []).forEach((network, n) => {
      const path = ["zones", z, "physical_networks", n, "vlan"];
      const what = `the guest VLANs of ${network.name} in ${zone.name}`;
      for (const { first, last, text } of vlanRanges(network.vlan)) {
        // Other isolation methods number their networks from other spaces (VXLAN: 24 bits).
        const isVlan = (network.isolationmethods ?? []).every((method) => method.toUpperCase() === "VLAN");
        const bad = fault(first, last, isVlan ? MOST_VLAN : 2 ** 24);
        if (bad)
          add(source, "TB123", path, {
            what: `${what}: ${text} ${bad}`,
            why: "the server refuses it in the middle of the deployment",
            remedy: `write ranges like 2001-2050, from 1 to ${MOST_VLAN}`,
          });
        else guests.push({ what: `${what} (${text})`, first, last, zone: z, real: isVlan && !isSimulated(zone), path });
      }
    });
  });
  return [...findings, ...checkGuests(guests, source), ...checkPublic(marvin, guests, source)];
}

/** `2001-2050,2060` as ranges; what is no number is NaN. */
export function vlanRanges(vlan: string | undefined): { first: number; last: number; text: string }[] {
  return (vlan ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const [first, last = first] = text.split("-").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
      return { first: first as number, last: text.split("-").length > 2 ? Number.NaN : (last as number), text };
    });
}

function fault(first: number, last: number, most: number): string | undefined {
  if (Number.isNaN(first) || Number.isNaN(last)) return "is no range of numbers";
  if (first > last) return "ends before it starts";
  if (first < 1 || last > most) return `is not between 1 and ${most}`;
  return undefined;
}

function checkGuests(guests: readonly VlanRange[], source: Source): Finding[] {
  const { findings, add } = collector();
  guests.forEach((range, index) => {
    const other = guests
      .slice(0, index)
      .find((one) => overlap(one, range) && (one.path === range.path || one.zone === range.zone || (one.real && range.real)));
    if (other)
      add(source, "TB123", range.path, {
        what: `${range.what} overlap ${other.what}`,
        why: "two guest networks would be one on the switches",
        remedy: "separate the ranges",
      });
  });
  return findings;
}

function checkPublic(marvin: Found<Marvin>, guests: readonly VlanRange[], source: Source): Finding[] {
  const { findings, add } = collector();
  (marvin.zones ?? []).forEach((zone, z) => {
    (zone.ipranges ?? []).forEach((range, r) => {
      const tag = range.vlan?.replace(/^vlan:\/\//, "") ?? "untagged";
      if (tag === "untagged" || tag === "") return;
      const path = ["zones", z, "ipranges", r, "vlan"];
      const number = /^\d+$/.test(tag) ? Number(tag) : Number.NaN;
      const bad = fault(number, number, MOST_VLAN);
      if (bad)
        add(source, "TB123", path, {
          what: `the VLAN of public range ${r + 1} of ${zone.name}: ${tag} ${bad === "is no range of numbers" ? "is no number" : bad}`,
          why: "the server refuses it in the middle of the deployment",
          remedy: `write a number from 1 to ${MOST_VLAN}, or "untagged"`,
        });
      const other = guests.find((one) => (one.zone === z || one.real) && number >= one.first && number <= one.last);
      if (other)
        add(source, "TB123", path, {
          what: `the VLAN ${tag} of public range ${r + 1} of ${zone.name} lies in ${other.what}`,
          why: "a guest network would be on the public one",
          remedy: "take a VLAN outside the guest ranges",
        });
    });
  });
  return findings;
}
