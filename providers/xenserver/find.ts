import { findMark, type Mark, markText, sameMark, TestbedError, withMark } from "../kernel/index.ts";
import type { Xapi } from "./client.ts";
import {
  type Found,
  type NetworkRecord,
  NULL_REF,
  type PoolRecord,
  type Records,
  type SrRecord,
  type VdiRecord,
  type VmRecord,
} from "./records.ts";

/** Key of `other_config` under which VMs and disks of ours carry their mark. */
export const MARK_KEY = "cloudstack-testbed";

/**
 * The mark of a VM: whose it is, its name, and its own uuid. A copy or a restored backup takes `other_config` along, so without
 * the uuid two VMs would be ours.
 */
export const vmMark = (mark: Mark, name: string, uuid: string) => `${markText(mark)} ${name} ${uuid}`;
export const diskMark = (mark: Mark, name: string) => `${markText(mark)} ${name}`;

/** The name of a VM between its making and its marking, which are two calls: it tells whose it is. */
export const birthName = (mark: Mark, name: string) => `${name} (being made by ${markText(mark)})`;

/** Every VM, template and snapshot of the pool. */
export const allVms = (xapi: Xapi) => xapi.call<Records<VmRecord>>("VM.get_all_records");

/** Whatever carries a mark, by the name of its VM: VMs, clones on the way to be one, disks. */
export async function markedNames(xapi: Xapi): Promise<Map<string, Mark[]>> {
  const vms = Object.values(await allVms(xapi));
  const disks = Object.values(await xapi.call<Records<VdiRecord>>("VDI.get_all_records"));
  const found = new Map<string, Mark[]>();
  const add = (mark: Mark | undefined, name: string) => {
    if (mark && name) found.set(name, withMark(found.get(name) ?? [], mark));
  };
  for (const { other_config: config } of [...vms, ...disks]) {
    const value = config[MARK_KEY] ?? "";
    add(findMark(value), value.split(" ")[1] ?? "");
  }
  for (const { name_label: label } of vms) {
    const [name = ""] = label.split(" ");
    const mark = findMark(label);
    if (mark && label === birthName(mark, name)) add(mark, name);
  }
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b)));
}

/** The VM of this name that carries our mark. */
export function ownVm(xapi: Xapi, vms: Records<VmRecord>, mark: Mark, name: string): Found<VmRecord> | undefined {
  const own = Object.entries(vms).filter(
    ([, record]) => !record.is_a_snapshot && record.other_config[MARK_KEY] === vmMark(mark, name, record.uuid),
  );
  const [found] = own;
  if (own.length > 1) {
    throw new TestbedError({
      system: xapi.system,
      object: `VM ${name}`,
      kind: "conflict",
      code: "two-of-ours",
      message: `expected one VM of this stack, seen ${own.map(([, record]) => record.uuid).join(" and ")}`,
      remedy: "remove one of them",
    });
  }
  return found && { ref: found[0], record: found[1] };
}

/** Refuses to go on where a VM has the name and is not ours. */
export function refuseForeign(xapi: Xapi, vms: Records<VmRecord>, mark: Mark, name: string): void {
  const named = Object.values(vms).find(
    (record) => record.name_label === name && !record.is_a_template && !record.is_a_snapshot && !record.is_control_domain,
  );
  if (!named) return;
  const holder = findMark(named.other_config[MARK_KEY] ?? "");
  const copied = sameMark(holder, mark);
  throw new TestbedError({
    system: xapi.system,
    object: `VM ${name}`,
    kind: "conflict",
    code: "foreign",
    message: `${named.uuid} has this name and ${copied ? "is a copy of ours" : holder ? `belongs to ${markText(holder)}` : "carries nobody's mark"}`,
    remedy: "remove or rename it, or choose another name; nothing was changed",
  });
}

/** A name or a uuid, expecting exactly one. */
function exactlyOne<T extends { uuid: string }>(xapi: Xapi, object: string, candidates: [string, T][], remedy: string): Found<T> {
  const [found, second] = candidates;
  if (found && !second) return { ref: found[0], record: found[1] };
  throw new TestbedError({
    system: xapi.system,
    object,
    kind: "invalid",
    code: second ? "ambiguous" : "missing",
    message: second ? `expected one, seen ${candidates.map(([, record]) => record.uuid).join(" and ")}` : "does not exist",
    remedy,
  });
}

export function findTemplate(xapi: Xapi, vms: Records<VmRecord>, wanted: string): Found<VmRecord> {
  const all = Object.entries(vms).filter(
    ([, record]) => record.is_a_template && !record.is_a_snapshot && (record.name_label === wanted || record.uuid === wanted),
  );
  const shipped = all.filter(([, record]) => record.is_default_template === true);
  return exactlyOne(
    xapi,
    `template ${wanted}`,
    shipped.length > 0 ? shipped : all,
    "name the template, or its uuid, as `xe template-list` shows it",
  );
}

export async function findNetwork(xapi: Xapi, bridge: string): Promise<Found<NetworkRecord>> {
  const all = Object.entries(await xapi.call<Records<NetworkRecord>>("network.get_all_records"));
  const bridges = all.map(([, record]) => record.bridge).join(", ");
  return exactlyOne(
    xapi,
    `network with the bridge ${bridge}`,
    all.filter(([, record]) => record.bridge === bridge),
    `bridges are ${bridges || "none"}`,
  );
}

export async function findStorage(xapi: Xapi, wanted: string | undefined): Promise<Found<SrRecord>> {
  const all = await xapi.call<Records<SrRecord>>("SR.get_all_records");
  const names = Object.values(all).map((record) => record.name_label);
  if (wanted !== undefined) {
    const candidates = Object.entries(all).filter(([, record]) => record.name_label === wanted || record.uuid === wanted);
    return exactlyOne(xapi, `storage repository ${wanted}`, candidates, `there are ${names.join(", ") || "none"}; name one, or its uuid`);
  }
  const [pool] = Object.values(await xapi.call<Records<PoolRecord>>("pool.get_all_records"));
  const ref = pool?.default_SR ?? NULL_REF;
  // It may be the reference of a repository that is no more.
  return exactlyOne(
    xapi,
    "the pool's default storage repository",
    Object.entries(all).filter(([one]) => one === ref),
    `set it (\`xe pool-param-set default-SR=…\`), or name one as \`storage\`: ${names.join(", ") || "there are none"}`,
  );
}

/** Disks of ours for this VM, attached or not. */
export async function ownDisks(xapi: Xapi, mark: Mark, name: string): Promise<Found<VdiRecord>[]> {
  const all = await xapi.call<Records<VdiRecord>>("VDI.get_all_records");
  return Object.entries(all)
    .filter(([, record]) => record.other_config[MARK_KEY] === diskMark(mark, name))
    .map(([ref, record]) => ({ ref, record }));
}
