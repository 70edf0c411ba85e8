import type { PlannedImageStore, PlannedLogin, PlannedRange } from "./cloud-plan.ts";
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

/** The account of a marvin file; its password is a placeholder, or stands in clear text and is not used. */
export function planLogin(one: { username?: string | undefined; password?: string | undefined }, credential: string): PlannedLogin {
  const { username, password } = one;
  const user = username === undefined || placeholder(username) ? undefined : username;
  return { ...given("user", user), credential: placeholder(password ?? "")?.credential ?? credential };
}

/** What says who somebody is and what he knows: `accesskey` and `secretkey` of S3, `username` and `key` of Swift, `user` of SMB. */
const SECRET_DETAIL = /passw(or)?d|secret|access_?key|^user(name)?$|^key$/i;

/**
 * The details of a store, the secret ones taken out: placeholders, and what is one by its name.
 * @param credential which holds the secret ones where no placeholder names another
 */
export function planDetails(values: Record<string, unknown>, credential: string): Pick<PlannedImageStore, "details" | "credential"> {
  const details: Record<string, string> = {};
  let holder: string | undefined;
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined) continue;
    const named = placeholder(String(value));
    if (named || SECRET_DETAIL.test(key)) holder = named?.credential ?? holder ?? credential;
    else details[key] = String(value);
  }
  return { details, ...given("credential", holder) };
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
