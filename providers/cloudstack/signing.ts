import { createHmac } from "node:crypto";

/** As Java's URLEncoder, with %20 for a space: what encodeURIComponent leaves bare besides letters, digits and `. - _ *` is encoded too. */
export function encodeValue(value: string): string {
  return encodeURIComponent(value).replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Names in code-unit order, as the server sorts them: before the text is lower-cased (cloudstack-observed facts 12). */
export function queryText(parameters: Record<string, string>): string {
  return Object.keys(parameters)
    .sort()
    .map((name) => `${name}=${encodeValue(parameters[name] ?? "")}`)
    .join("&");
}

/** The `signature` of a request: HMAC-SHA1 of the lower-cased query, base64. */
export function signature(parameters: Record<string, string>, secretKey: string): string {
  return createHmac("sha1", secretKey).update(queryText(parameters).toLowerCase()).digest("base64");
}
