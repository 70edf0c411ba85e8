import type { PlannedLogin, PlannedRange, PlannedSecret } from "./cloud-plan.ts";
import type { Marvin } from "./marvin-schema.ts";

type Range = Marvin["zones"][number]["ipranges"][number];

/** `{ key: value }`, or nothing where there is no value: plans hold no undefined. */
export function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T });
}

/** `${hosts.password}` in a marvin file: the field of a credential, filled in for the tools that read the file. */
const PLACEHOLDER = /^\$\{([\w-]+)\.([\w-]+)\}$/;

/** What a placeholder names; undefined where the text is none. */
export function placeholder(text: string): { credential: string; field: string } | undefined {
  const [, credential, field] = PLACEHOLDER.exec(text) ?? [];
  return credential === undefined || field === undefined ? undefined : { credential, field };
}

export function secret(text: string): PlannedSecret {
  return placeholder(text) ?? { clear: text };
}

export function secretMap(values: Record<string, unknown>): Record<string, PlannedSecret> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value == null ? [] : [[key, secret(String(value))]])));
}

export function planLogin(one: { username?: string | undefined; password?: string | undefined }): PlannedLogin {
  const { username, password } = one;
  return { ...given("username", username), ...given("password", password === undefined ? undefined : secret(password)) };
}

export function planRange(name: string, range: Range): PlannedRange {
  const { startip: start, endip: end, gateway, netmask, vlan, account, domainid } = range;
  const tag = vlan?.replace(/^vlan:\/\//, "");
  const tagged = tag === "untagged" || tag === "" ? undefined : tag;
  return { name, start, end, gateway, netmask, ...given("vlan", tagged), ...given("account", account), ...given("domainId", domainid) };
}

/** The same names, numbered from the second of one name on: the server minds equal names of pools and hosts as little as marvin. */
export function numbered<T extends { name: string }>(list: readonly T[]): T[] {
  const seen = new Map<string, number>();
  return list.map((one) => {
    const count = (seen.get(one.name) ?? 0) + 1;
    seen.set(one.name, count);
    return count === 1 ? one : { ...one, name: `${one.name}#${count}` };
  });
}
