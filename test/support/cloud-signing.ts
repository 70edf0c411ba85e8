import { createHmac } from "node:crypto";

export interface Keys {
  apiKey: string;
  secretKey: string;
}

export type Pair = [name: string, value: string];

/** As Java's URLEncoder with %20. */
export function javaEncode(value: string): string {
  return encodeURIComponent(value).replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** As Python's urllib.parse.quote with `*` kept: it leaves the tilde. */
const pythonEncode = (value: string) => javaEncode(value).replaceAll("%7E", "~");

const byName = (one: Pair, other: Pair) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0);
const ignoringCase = (one: Pair, other: Pair) => byName([one[0].toLowerCase(), ""], [other[0].toLowerCase(), ""]);

interface Manner {
  encode?: (value: string) => string;
  order?: (one: Pair, other: Pair) => number;
  algorithm?: string;
  /** Which of several values of one name are signed. */
  repeated?: "all" | "first" | "last";
  secret?: (secretKey: string) => string;
  after?: (signature: string) => string;
}

/** How the recorder signed, by the beginning of its label; anything else is signed rightly. */
const manners: [label: string, manner: Manner][] = [
  ["wrong signature", { secret: () => "another" }],
  ["signature not base64", { after: () => "%%%" }],
  ["signature lowercased", { after: (text) => text.toLowerCase() }],
  ["parameter name with a capital, signed in case-insensitive order", { order: ignoringCase }],
  ["parameter name with capital, signed in case-insensitive order", { order: ignoringCase }],
  ["value with space, plus, star, tilde", { encode: pythonEncode }],
  ["value ", { encode: pythonEncode }],
  ["space signed as +", { encode: (value) => javaEncode(value).replaceAll("%20", "+") }],
  ["brackets left raw", { encode: (value) => javaEncode(value).replaceAll("%5B", "[").replaceAll("%5D", "]") }],
  ["duplicate parameter, signed over both", { repeated: "all" }],
  ["duplicate parameter, signed over the first", { repeated: "first" }],
  ["HMAC-SHA256", { algorithm: "sha256" }],
];

export function signFor(label: string, pairs: readonly Pair[], secretKey: string): string {
  const manner = manners.find(([start]) => label.startsWith(start))?.[1] ?? {};
  const { encode = javaEncode, order = byName, algorithm = "sha1", repeated = "last", secret, after } = manner;
  const ordered = [...pairs].sort(order);
  const signed = ordered.filter(([name], index) => {
    if (repeated === "all") return true;
    const places = ordered.flatMap(([other], place) => (other === name ? [place] : []));
    return index === (repeated === "first" ? places[0] : places.at(-1));
  });
  const text = signed.map(([name, value]) => `${name}=${encode(value)}`).join("&");
  const hash = createHmac(algorithm, secret ? secret(secretKey) : secretKey).update(text.toLowerCase());
  const signature = hash.digest("base64");
  return after ? after(signature) : signature;
}
