import type { XmlRpcValue } from "../transport/xmlrpc.ts";

/** Null, "" and "~" are one value to cobbler: it has no nil in replies (cobbler facts §2). */
function normal(value: XmlRpcValue | undefined): unknown {
  if (value === undefined || value === "~") return "";
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, inner]) => [key, normal(inner)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return typeof value === "number" ? String(value) : value;
}

export function sameValue(a: XmlRpcValue | undefined, b: XmlRpcValue | undefined): boolean {
  return JSON.stringify(normal(a)) === JSON.stringify(normal(b));
}

/** The attributes that the server has otherwise than wanted. */
export function differing(wanted: Record<string, XmlRpcValue>, item: Record<string, XmlRpcValue>): [string, XmlRpcValue][] {
  return Object.entries(wanted).filter(([attribute, value]) => !sameValue(value, item[attribute]));
}
