import { z } from "zod";
import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import type { Item } from "./client.ts";
import { sameValue } from "./compare.ts";

const types = ["na", "bond", "bond_slave", "bridge", "bridge_slave", "bonded_bridge_slave"] as const;
type InterfaceType = (typeof types)[number];

const none = z.literal("");

const interfaceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, "may hold letters, digits and _ . - only")
    .describe("Its name, as `eth0`."),
  type: z
    .enum(types)
    .default("na")
    .describe("Cobbler's type: `na` for an ordinary one, bonds and bridges for masters, `…_slave` for their members."),
  mac: z
    .string()
    .regex(/^(([0-9a-f]{2}:){5}[0-9a-f]{2})?$/, "must be six lower-case hexadecimal bytes with colons")
    .default("")
    .describe("MAC address; only bonds and bridges may have none."),
  address: z.union([z.ipv4(), none]).default("").describe("Static address; empty for one of DHCP, and for members."),
  netmask: z.union([z.ipv4(), none]).default("").describe("Its netmask: given exactly when the address is."),
  dnsName: z.union([z.hostname(), none]).default("").describe("Full name that belongs to the address."),
  master: z.string().default("").describe("For a member: the name of the bond or bridge, another interface of the same system."),
  bondingOptions: z.string().default("").describe("For a bond: options of its driver, as `miimon=100 mode=1`."),
  bridgeOptions: z.string().default("").describe("For a bridge: its options, as `stp=no`."),
});

/**
 * A network interface of a system. `type` is cobbler's: `na` for an ordinary one, `bond` and `bridge` for masters (no MAC
 * needed), `bond_slave` and `bridge_slave` for their members, `bonded_bridge_slave` for a bond that is a member of a bridge.
 * `master` names another interface of the same system. Only what has an address is written as static.
 */
export type SystemInterface = z.input<typeof interfaceSchema>;
type Interface = z.output<typeof interfaceSchema>;

/** The types that the master of a member may have. */
const mastersOf: Partial<Record<InterfaceType, readonly InterfaceType[]>> = {
  bond_slave: ["bond", "bonded_bridge_slave"],
  bridge_slave: ["bridge"],
  bonded_bridge_slave: ["bridge"],
};

const isBond = (nic: Interface) => nic.type === "bond" || nic.type === "bonded_bridge_slave";

/** What is wrong with one interface among its siblings, by field. */
function* faultsOf(nic: Interface, all: readonly Interface[]): Generator<[keyof Interface, string]> {
  const masters = mastersOf[nic.type];
  const master = all.find((other) => other.name === nic.master);
  if (!masters && nic.master !== "") yield ["master", `only a member has a master, and ${nic.name} is of type ${nic.type}`];
  if (masters && !master) yield ["master", `must name an interface of this system, and ${JSON.stringify(nic.master)} is none`];
  if (masters && master && !masters.includes(master.type))
    yield ["master", `must be of type ${masters.join(" or ")}, and ${master.name} is of type ${master.type}`];
  if (nic.mac === "" && !isBond(nic) && nic.type !== "bridge") yield ["mac", `is needed for an interface of type ${nic.type}`];
  if (nic.bondingOptions !== "" && !isBond(nic)) yield ["bondingOptions", "belong to a bond"];
  if (nic.bridgeOptions !== "" && nic.type !== "bridge") yield ["bridgeOptions", "belong to a bridge"];
  if (isBond(nic) && !all.some((other) => other.type === "bond_slave" && other.master === nic.name))
    yield ["type", `a bond needs at least one bond_slave whose master is ${nic.name}`];
  if (masters && nic.address !== "") yield ["address", "belongs to the master, not to a member"];
  if ((nic.address === "") !== (nic.netmask === "")) yield ["netmask", "address and netmask are given together"];
}

/** Cobbler looks for duplicates among saved systems only: two interfaces of one new system may share a MAC. */
function* duplicates(all: readonly Interface[]): Generator<[number, keyof Interface, string]> {
  for (const field of ["name", "mac", "address", "dnsName"] as const)
    for (const [index, nic] of all.entries()) {
      const first = all.findIndex((other) => other[field] === nic[field]);
      if (nic[field] !== "" && first < index) yield [index, field, `${nic[field]} is that of the interface ${all[first]?.name} already`];
    }
}

export const interfacesSchema = z
  .array(interfaceSchema)
  .min(1)
  .superRefine((all, check) => {
    const issue = (index: number, field: string, message: string) => check.addIssue({ code: "custom", path: [index, field], message });
    for (const [index, nic] of all.entries()) for (const [field, message] of faultsOf(nic, all)) issue(index, field, message);
    for (const [index, field, message] of duplicates(all)) issue(index, field, message);
    if (!all.some((nic) => nic.mac !== "")) check.addIssue({ code: "custom", message: "no interface has a MAC to boot from" });
  });

/** Our field, cobbler's field when read, and cobbler's field when written (cobbler facts §7). */
const fields: [keyof Interface, string, string][] = [
  ["type", "interface_type", "interfacetype"],
  ["mac", "mac_address", "macaddress"],
  ["address", "ip_address", "ipaddress"],
  ["netmask", "netmask", "netmask"],
  ["dnsName", "dns_name", "dnsname"],
  ["master", "interface_master", "interfacemaster"],
  ["bondingOptions", "bonding_opts", "bondingopts"],
  ["bridgeOptions", "bridge_opts", "bridgeopts"],
];

/** What no two interfaces may share. */
const unique: readonly (keyof Interface)[] = ["mac", "address", "dnsName"];

type ServerInterfaces = Record<string, Record<string, XmlRpcValue>>;

const serverInterfaces = (item: Item | undefined) => (item?.interfaces ?? {}) as ServerInterfaces;

/**
 * What must be written for the server to have exactly the wanted interfaces: those it should not have go first, then what moves
 * to another interface is cleared where it was. Set before it is cleared, it would drop out of cobbler's index of duplicates.
 */
export function interfaceEdits(given: readonly SystemInterface[], item: Item | undefined): [string, XmlRpcValue][] {
  const wanted = given.map((nic) => interfaceSchema.parse(nic));
  const present = serverInterfaces(item);
  const extra = Object.keys(present).filter((name) => !wanted.some((nic) => nic.name === name));
  const cleared: Record<string, XmlRpcValue> = {};
  const changes: Record<string, XmlRpcValue> = {};
  for (const nic of wanted) {
    const now = present[nic.name] ?? {};
    for (const [own, read, write] of fields) {
      if (sameValue(nic[own], now[read])) continue;
      changes[`${write}-${nic.name}`] = nic[own];
      if (unique.includes(own) && wanted.some((other) => other[own] !== "" && sameValue(other[own], now[read])))
        cleared[`${write}-${nic.name}`] = "";
    }
    const fixed = nic.address !== "";
    if (!sameValue(fixed, now.static)) changes[`static-${nic.name}`] = fixed;
  }
  const edits: [string, Record<string, XmlRpcValue>][] = [
    ["modify_interface", cleared],
    ["modify_interface", changes],
  ];
  return [
    ...extra.map((name): [string, XmlRpcValue] => ["delete_interface", name]),
    ...edits.filter(([, values]) => Object.keys(values).length > 0),
  ];
}

/** What the server has, in the order of the inputs, so that only a real difference shows. */
export function observedInterfaces(item: Item, wanted: readonly SystemInterface[]): SystemInterface[] {
  const present = serverInterfaces(item);
  const order = wanted.map((nic) => nic.name).filter((name) => name in present);
  const names = [...order, ...Object.keys(present).filter((name) => !order.includes(name))];
  return names.map((name) => {
    const values = fields.map(([own, read]) => [own, text(present[name]?.[read])]);
    return { name, ...Object.fromEntries(values) } as SystemInterface;
  });
}

function text(value: XmlRpcValue | undefined): string {
  return value === undefined || value === "~" ? "" : String(value);
}
