import type { IncomingMessage, ServerResponse } from "node:http";
import type { Parameters } from "./parameters.ts";

/** Largest request line of the real server's client port. */
export const LONGEST_REQUEST = 8192;
/** Our own limit, above what the open port takes. */
export const HEADER_BYTES = 65536;

/** Whose occurrence counts when a name is given twice: the first on the open port, the last on the client port. */
export type Repeated = "first" | "last";

export function parseQuery(text: string, repeated: Repeated): Parameters {
  const parameters: Parameters = {};
  for (const [name, value] of new URLSearchParams(text)) if (repeated === "last" || !(name in parameters)) parameters[name] = value;
  return parameters;
}

export function splitUrl(request: IncomingMessage): { path: string; query: string } {
  const [path = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
  return { path, query };
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

export function cookiesOf(request: IncomingMessage): Record<string, string> {
  const pairs = (request.headers.cookie ?? "").split(/;\s*/).map((one) => one.split(/=(.*)/s));
  return Object.fromEntries(pairs.filter(([name]) => name).map(([name, value]) => [name, value ?? ""]));
}

/** Ends the connection in the middle of a reply that began well. */
export function cutReply(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/json; charset=UTF-8", "Content-Length": 1000 });
  response.write('{"', () => response.destroy());
}

/** What a proxy or the servlet container says when the server cannot take a call. */
export function unavailable(response: ServerResponse): void {
  response.writeHead(503, { "Content-Type": "text/html;charset=iso-8859-1" });
  response.end(
    "<html>\n<head>\n<title>Error 503 Service Unavailable</title>\n</head>\n<body><h2>HTTP ERROR 503 Service Unavailable</h2>\n</body>\n</html>\n",
  );
}
