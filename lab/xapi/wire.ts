import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { Failure } from "./failure.ts";
import type { FieldType } from "./schema.ts";

// The parts of the XML-RPC library that its own server and client are made of; it has no typings for them.
const require = createRequire(import.meta.url);
const { serializeMethodResponse } = require("xmlrpc/lib/serializer") as { serializeMethodResponse(value: unknown): string };
const Deserializer = require("xmlrpc/lib/deserializer") as new () => {
  deserializeMethodCall(stream: Readable, done: (error: Error | null, method: string, params: unknown[]) => void): void;
};
const { CustomType } = require("xmlrpc") as { CustomType: new (raw: unknown) => { tagName: string } };

class Double extends CustomType {}
Double.prototype.tagName = "double";
class DateTime extends CustomType {}
DateTime.prototype.tagName = "dateTime.iso8601";

/** A number with a fraction, or a time: XML-RPC has types of their own for them, JSON has not. */
export class Typed {
  readonly type: FieldType;
  readonly value: string | number;
  constructor(type: FieldType, value: string | number) {
    this.type = type;
    this.value = value;
  }
  toJSON(): string | number {
    return this.value;
  }
}

export interface Call {
  method: string;
  params: unknown[];
}

interface Dialect {
  read(body: string): Promise<Call>;
  contentType: string;
  success(value: unknown): string;
  failure(failure: Failure): string;
}

/** What was sent is not a call: XAPI answers that with an HTTP status, not with an error of its own. */
class Malformed extends Error {}

function json(): Dialect {
  let [version, id]: [unknown, unknown] = [undefined, null];
  return {
    contentType: "application/json",
    async read(body) {
      const request = JSON.parse(body) as { jsonrpc?: unknown; method?: unknown; params?: unknown; id?: unknown };
      [version, id] = [request.jsonrpc, request.id];
      // No notifications, and parameters by position only (xapi facts §1).
      if (typeof request.method !== "string" || !Array.isArray(request.params) || id === undefined) throw new Malformed();
      return { method: request.method, params: request.params };
    },
    success: (result) => JSON.stringify(version === "2.0" ? { jsonrpc: "2.0", result, id } : { result, error: null, id }),
    failure: ({ code, parameters }) =>
      JSON.stringify(
        version === "2.0"
          ? { jsonrpc: "2.0", error: { code: 1, message: code, data: parameters }, id }
          : { result: null, error: [code, ...parameters], id },
      ),
  };
}

/** Compact, without white space between elements: clients that are public break on it (xapi facts §11). */
function xml(): Dialect {
  return {
    contentType: "text/xml",
    read: (body) =>
      new Promise((resolve, reject) =>
        new Deserializer().deserializeMethodCall(Readable.from([body]), (error, method, params) =>
          error ? reject(new Malformed()) : resolve({ method, params }),
        ),
      ),
    success: (value) => serializeMethodResponse({ Status: "Success", Value: forXml(value) }),
    failure: ({ code, parameters }) => serializeMethodResponse({ Status: "Failure", ErrorDescription: [code, ...parameters] }),
  };
}

/** Integers have 64 bits, which XML-RPC has no type for: they are text (xapi facts §1). */
function forXml(value: unknown): unknown {
  if (value instanceof Typed) return value.type === "float" ? new Double(value.value) : new DateTime(value.value);
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(forXml);
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, forXml(one)]));
  return value;
}

/** Serves one request: reads the call in its dialect, lets it be done, answers in the same. */
export async function serve(request: IncomingMessage, response: ServerResponse, run: (call: Call) => Promise<unknown>): Promise<void> {
  const dialect = request.url?.startsWith("/jsonrpc") ? json() : xml();
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  let call: Call;
  try {
    if (request.method !== "POST") throw new Malformed();
    call = await dialect.read(Buffer.concat(chunks).toString());
  } catch {
    response.writeHead(500, { "Content-Type": "text/html" }).end("<html><body><h1>HTTP 500 internal server error</h1></body></html>");
    return;
  }
  let text: string;
  try {
    text = dialect.success(await run(call));
  } catch (error) {
    // What is no error of XAPI is one inside the server: it has a code for that.
    if (!(error instanceof Failure)) process.stderr.write(`xapi ${call.method}: ${error instanceof Error ? error.stack : String(error)}\n`);
    text = dialect.failure(error instanceof Failure ? error : new Failure("INTERNAL_ERROR", String(error)));
  }
  if (response.headersSent) return;
  const body = Buffer.from(text);
  response.writeHead(200, { "Content-Type": dialect.contentType, "Content-Length": body.length }).end(body);
}
