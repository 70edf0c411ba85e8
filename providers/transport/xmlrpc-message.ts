import { createRequire } from "node:module";
import { PassThrough } from "node:stream";

// The messages are the npm package's; its HTTP client has no time limit, no size limit and no certificate check.
const require = createRequire(import.meta.url);
const { serializeMethodCall } = require("xmlrpc/lib/serializer") as {
  serializeMethodCall(method: string, parameters: readonly XmlRpcValue[]): string;
};
const Deserializer = require("xmlrpc/lib/deserializer") as new () => {
  deserializeMethodResponse(stream: NodeJS.ReadableStream, done: (error: FaultLike | null, value: XmlRpcValue) => void): void;
};

export type XmlRpcValue = string | number | boolean | XmlRpcValue[] | { [key: string]: XmlRpcValue };

interface FaultLike extends Error {
  faultCode?: number;
  faultString?: string;
}

/** A fault as the server sent it. What it means, the provider of that server knows. */
export class XmlRpcFault extends Error {
  readonly faultCode: number;
  constructor(faultCode: number, faultString: string) {
    super(faultString);
    this.name = "XmlRpcFault";
    this.faultCode = faultCode;
  }
}

/** The answer is no XML-RPC response. */
export class NotXmlRpc extends Error {}

/** A value that XML-RPC has no form for; the text says where it stands. */
export class Unsendable extends Error {}

/** The call as UTF-8 XML. Throws Unsendable instead of writing what the server would store wrongly or choke on. */
export function encodeCall(method: string, parameters: readonly XmlRpcValue[]): Buffer {
  for (const [index, value] of parameters.entries()) requireSendable(value, `parameter ${index + 1}`);
  return Buffer.from(serializeMethodCall(method, parameters), "utf8");
}

/** The value of a response. Rejects with XmlRpcFault for a fault, with NotXmlRpc for anything that is no response. */
export function decodeResponse(body: Buffer): Promise<XmlRpcValue> {
  return new Promise((resolve, reject) => {
    const stream = new PassThrough();
    new Deserializer().deserializeMethodResponse(stream, (error, value) => {
      if (!error) resolve(value);
      else if (error.faultString !== undefined) reject(new XmlRpcFault(error.faultCode ?? 0, error.faultString));
      else reject(new NotXmlRpc(`${error.message.split("\n")[0]}; the answer begins with ${JSON.stringify(body.toString("utf8", 0, 80))}`));
    });
    stream.end(body);
  });
}

// XML 1.0 allows no other control characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function requireSendable(value: XmlRpcValue, where: string): void {
  if (typeof value === "string") {
    const found = CONTROL.exec(value);
    if (found) throw new Unsendable(`${where} holds the control character U+${found[0].charCodeAt(0).toString(16).padStart(4, "0")}`);
  } else if (typeof value === "number") {
    // A larger one is taken, and from then on every read of the object faults (cobbler facts §2).
    if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) >= 2 ** 31))
      throw new Unsendable(`${where} is ${value}; XML-RPC numbers have 32 bits`);
  } else if (Array.isArray(value)) {
    for (const [index, inner] of value.entries()) requireSendable(inner, `${where}[${index}]`);
  } else if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) {
      requireSendable(key, `a key of ${where}`);
      requireSendable(inner, `${where}.${key}`);
    }
  } else if (typeof value !== "boolean") {
    throw new Unsendable(`${where} is ${String(value)}`);
  }
}
