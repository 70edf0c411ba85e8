import type { Finding } from "../findings.ts";
import { type Marvin, marvinSchema } from "../marvin-schema.ts";
import { planCloud } from "../plan-zones.ts";
import { isRecord, keysAt } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";
import { slipOf } from "./spelling.ts";
import { watched } from "./watch.ts";

/** What the project and the tests read beside the plan of the cloud: they get the effective configuration (`testbed marvin-config`). */
const PASSED_ON = /^(mgtSvr\.0|dbSvr|logger)(\.|$)/;

/** Why a known key is read by nothing, by its path without numbers; else it is unknown. */
const reasons: readonly [RegExp, string, string][] = [
  [/^zones\.\*\.vmwaredc/, "only a pod's datacenter is read, as by marvin", "move it to the pod, or remove it"],
  [/^zones\.\*\.guestcidraddress$/, "guests share a network here, whose ranges say its addresses", "remove it"],
  [
    /^zones\.\*\.ipranges(\.\*)?$/,
    "the one guest network has one range, the last; a Basic zone has none without Public traffic",
    "remove it",
  ],
  [/^zones\.\*\.networkofferingname$/, "only the shared guest network of Basic and security-group zones has an offering", "remove it"],
  [/^zones\.\*\.vlan$/, "the physical network says its guest VLANs itself, or has none in a Basic zone", "remove it"],
  [/^zones\.\*\.physical_networks\.\*\.vlan$/, "the server refuses guest VLANs in a Basic zone", "remove it"],
  [/broadcastdomainrange$/, "it follows from the kind of zone: POD in Basic, ZONE in Advanced ones", "remove it"],
  [/\.tags\.\*$/, "the server takes one tag", "remove it"],
  [/\.isolationmethods\.\*$/, "the server takes one isolation method", "remove it"],
  [/\.traffictypes\.\*\.(labeldict\.)?simulator$/, "the API has no label for the simulator", "remove it"],
  [/\.providers\.\*\.devices/, "devices belong to Netscaler, JuniperSRX, F5BigIp and NiciraNvp", "remove them, or correct the provider"],
  [/\.guestIpRanges/, "only zones whose guests share a network have guest ranges of pods", "remove them"],
  [/\.clusters\.\*\.(url|username|password)$/, "only a VMware cluster has an address and a login", "remove it"],
  [/\.hosts\.\*\.(hostmac|cpunumber|cpuspeed|memory)$/, "only hosts of a BareMetal cluster say it", "remove it"],
  [/\.hosts\.\*$/, "the hosts of a VMware cluster are found by vCenter", "remove them"],
  [/\.primaryStorages\.\*\.hypervisor$/, "only a pool of the whole zone has a hypervisor of its own", 'remove it, or add "scope": "zone"'],
  [/\.secondaryStorages\.\*\.details/, "the server takes no details of an NFS store", "remove them"],
  [/^mgtSvr\.\*$/, "marvin and this project use the first management server", "remove it"],
  [/^(ApiLoadCfg|TestData)/, "no marvin since 4.2 reads it", "remove it"],
  [/\.tungstenprovider/, "no Tungsten-Fabric provider is made here", "make it by hand before the zone is enabled"],
  [/\.baremetalrcturl$/, "no rack configuration of bare metal is added here", "add it by hand"],
];

const unknownKey = [
  undefined,
  "neither this project nor marvin knows the key: what it says has no effect",
  "correct it, or remove it",
] as const;

/** Keys of a marvin configuration that nothing reads, by their kind: each kind once, where it stands first. Slips of known keys each. */
export function checkUnread(source: Source, marvin: Marvin | undefined): Finding[] {
  const { findings, add } = collector();
  const kinds = new Map<string, { path: Path; count: number }>();
  for (const path of unread(source.value, isReadBy(marvin))) {
    const meant = slip(source.value, path);
    if (meant !== undefined)
      add(source, "TB102", path, {
        severity: "warning",
        what: `unknown key ${path.at(-1)}; did you mean ${meant}?`,
        why: "marvin and this project would take the value for missing",
        remedy: "correct it, or remove it",
      });
    else {
      const kind = path.map((step) => (typeof step === "number" ? "*" : step)).join(".");
      const { path: first, count } = kinds.get(kind) ?? { path, count: 0 };
      kinds.set(kind, { path: first, count: count + 1 });
    }
  }
  for (const [kind, { path, count }] of kinds) {
    const [, why, remedy] = reasons.find(([pattern]) => pattern.test(kind)) ?? unknownKey;
    const what = `nothing reads ${path.join(".")}${count > 1 ? `; such keys stand ${count} times` : ""}`;
    add(source, "TB104", path, { severity: "warning", what, why, remedy });
  }
  return findings;
}

/** What a key is a slip of, when it is none of the dialect. */
function slip(value: unknown, path: Path): string | undefined {
  const key = path.at(-1);
  const around = path.slice(0, -1).reduce<unknown>((inner, step) => (inner as Record<string | number, unknown>)[step], value);
  return typeof key === "string" && isRecord(around) ? slipOf(key, keysAt(marvinSchema, path.slice(0, -1)), around) : undefined;
}

/** Whether something reads the value at a path. Of a file with faults of form it is only known which keys there are. */
function isReadBy(marvin: Marvin | undefined): (path: Path) => boolean {
  if (!marvin) return isKnown;
  const read = new Set<string>();
  planCloud(watched(marvin, read));
  return (path) => read.has(path.join("."));
}

function isKnown(path: Path): boolean {
  const known = keysAt(marvinSchema, path.slice(0, -1));
  // Groups without keys of their own, such as details, take any; a device takes parameters of any name.
  return typeof path.at(-1) === "number" || path.includes("devices") || known.length === 0 || known.includes(String(path.at(-1)));
}

/** The outermost paths of a value that nothing reads. What says nothing (null, an empty list or group) needs no reader. */
function unread(value: unknown, isRead: (path: Path) => boolean, path: Path = []): Path[] {
  if (typeof value !== "object" ? false : value === null || Object.keys(value).length === 0) return [];
  const at = path.join(".");
  const passedOn = PASSED_ON.test(at);
  if (at !== "" && at !== "mgtSvr" && !(passedOn ? isKnown(path) : isRead(path))) return [path];
  if (Array.isArray(value)) return value.flatMap((one, index) => unread(one, isRead, [...path, index]));
  if (isRecord(value)) return Object.entries(value).flatMap(([key, one]) => unread(one, isRead, [...path, key]));
  return [];
}
