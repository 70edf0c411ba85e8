import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import type { Change } from "./client.ts";

/**
 * The attributes of a new system as cobbler takes them in one call, refusing an existing name: a site has hundreds, and each would
 * need a dozen calls. Undefined without an interface: cobbler would add one of its own.
 */
export function wholeSystem(name: string, attributes: readonly Change[]): Record<string, XmlRpcValue> | undefined {
  const whole = Object.fromEntries(attributes.map(([key, value]) => [key, typeof value === "function" ? value(undefined) : value]));
  const [field] = Object.keys(whole.modify_interface ?? {});
  // Among several interfaces cobbler wants one to be named, though no field is given for it outside `modify_interface`.
  return field === undefined ? undefined : { name, ...whole, interface: field.slice(field.indexOf("-") + 1) };
}
