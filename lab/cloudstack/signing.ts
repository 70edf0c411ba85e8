import { createHmac, timingSafeEqual } from "node:crypto";
import type { Cloud } from "./cloud.ts";
import type { Caller } from "./command.ts";
import type { Parameters } from "./parameters.ts";

/** Java's URLEncoder with %20 for a space. */
function encode(value: string): string {
  return encodeURIComponent(value).replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}

/** Names are sorted before the text is lower-cased; values are those that the server decoded. */
function expected(parameters: Parameters, secretKey: string): Buffer {
  const text = Object.keys(parameters)
    .filter((name) => name !== "signature")
    .sort()
    .map((name) => `${name}=${encode(parameters[name] ?? "")}`)
    .join("&")
    .toLowerCase();
  return createHmac("sha1", secretKey).update(text).digest();
}

function named(parameters: Parameters, name: string): string | undefined {
  return Object.entries(parameters).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** Version 3 must say until when it holds; other versions, and none, are not asked (cloudstack-observed facts 13). */
function isExpired(parameters: Parameters): boolean {
  if (named(parameters, "signatureversion") !== "3") return false;
  const expires = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d)$/.exec(named(parameters, "expires") ?? "");
  if (!expires) return true;
  const zone = (expires[2] ?? "Z").replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  return Date.parse(`${expires[1]}${zone}`) <= Date.now();
}

/** Who signed the request; undefined for every way of not being somebody. */
export function signer(cloud: Cloud, parameters: Parameters): Caller | undefined {
  const key = named(parameters, "apikey");
  const user = key ? cloud.database.table("user").find((one) => one.apiKey === key && one.secretKey) : undefined;
  if (user?.state !== "enabled" || isExpired(parameters)) return undefined;
  const given = Buffer.from(parameters.signature ?? "", "base64");
  const right = expected(parameters, String(user.secretKey));
  return given.length === right.length && timingSafeEqual(given, right) ? cloud.callerOf(user.id) : undefined;
}
