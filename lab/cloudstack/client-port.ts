import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { commandCatalogue } from "./catalogue.ts";
import type { Cloud } from "./cloud.ts";
import { type Format, faultReply, type Reply, render } from "./envelope.ts";
import { ApiFault, unauthenticated } from "./errors.ts";
import { cookiesOf, LONGEST_REQUEST, parseQuery, readBody, splitUrl } from "./http.ts";
import type { Parameters } from "./parameters.ts";
import type { Sessions } from "./sessions.ts";
import { signer } from "./signing.ts";

const page = readFileSync(new URL("index.html", import.meta.url), "utf8");
const HTML = "text/html;charset=iso-8859-1";
const EXPIRED = "Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=0";

/** What belongs to one request while it is answered. */
interface Exchange {
  cloud: Cloud;
  sessions: Sessions;
  request: IncomingMessage;
  response: ServerResponse;
}

/** Port 8080: the API below /client/api, signed or in a session, and a little of the user interface. */
export async function answerClientPort(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  response.sendDate = false;
  if ((request.url ?? "").length > LONGEST_REQUEST) {
    response.shouldKeepAlive = false;
    return send(response, 414, { "Content-Type": HTML }, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>");
  }
  const { path } = splitUrl(request);
  if (path === "/client/api" || path === "/client/api/") return answerApi(exchange);
  if (path === "/client/") return send(response, 200, { "Content-Type": "text/html" }, page);
  if (path === "/client") return send(response, 302, { Location: "/client/" });
  if (path === "/client/console")
    return send(response, 200, { "Content-Type": "text/html;charset=utf-8" }, "Access denied. Invalid web session or API key in request");
  if (path.startsWith("/client/")) return send(response, 404, { "Content-Type": HTML }, notFound(path));
  return send(response, 301, { Location: `http://${request.headers.host}/client/` });
}

async function answerApi(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  if (request.method === "OPTIONS") return send(response, 200, {});
  if (request.method === "PUT" || request.method === "DELETE") return send(response, 405, {});
  const parameters = await parametersOf(request);
  const format: Format = parameters.response?.toLowerCase() === "json" ? "json" : "xml";
  const name = parameters.command;
  if (name === "login") return login(exchange, parameters, format);
  try {
    if (name === "logout") return logout(exchange, format);
    const { wrapper, reply } = await run(exchange, parameters);
    send(response, 200, headers(format), render(format, wrapper, reply));
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    const wrapper = faultWrapper(exchange, error, name, format);
    // A 401 and a refused login have none.
    const description: Record<string, string> =
      error.cserrorcode === undefined ? {} : { "X-Description": error.message.replaceAll(/[^\x20-\x7e]/g, "?") };
    send(response, error.errorcode, { ...headers(format), ...description }, render(format, wrapper, faultReply(error)));
  }
}

async function run({ cloud, sessions, request }: Exchange, parameters: Parameters): Promise<{ wrapper: string; reply: Reply }> {
  const name = parameters.command;
  const inSession = sessions.caller(cookiesOf(request), parameters);
  if (inSession) return cloud.run(inSession, name, parameters);
  // Outside a session a command that does not exist is a request that cannot be verified (cloudstack-observed facts 10).
  const caller = name && commandCatalogue.has(name) ? signer(cloud, parameters) : undefined;
  if (!caller) throw unauthenticated();
  return cloud.run(caller, name, parameters);
}

function faultWrapper({ cloud }: Exchange, fault: ApiFault, name: string | undefined, format: Format): string {
  if (name === undefined && fault.errorcode === 401 && format === "json") return "null";
  if (fault.errorcode === 432) return "errorresponse";
  return cloud.faultWrapper(name);
}

/** Query and form together; a body of another type is not read. */
async function parametersOf(request: IncomingMessage): Promise<Parameters> {
  const { query } = splitUrl(request);
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const body = request.method === "POST" && isForm ? await readBody(request) : "";
  return parseQuery([query, body].filter((one) => one !== "").join("&"), "last");
}

function login(exchange: Exchange, parameters: Parameters, format: Format): void {
  const { sessions, request, response } = exchange;
  // A session that is nobody's: the servlet container makes one for every attempt.
  const anonymous = `JSESSIONID=node0${randomBytes(12).toString("hex")}0; Path=/client`;
  const refuse = (status: number, text: string) => send(response, status, { ...headers(format), "Set-Cookie": anonymous }, text);
  if (request.method !== "POST") refuse(405, "Please use HTTP POST to authenticate using this API");
  else if (parameters.username === undefined) refuse(531, "null");
  else
    try {
      const { id, key, reply } = sessions.login(cookiesOf(request), parameters);
      const cookies = [`JSESSIONID=${id}; Path=/client`, `sessionkey=${key}; HttpOnly; SameSite=Lax`];
      send(response, 200, { ...headers(format), "Set-Cookie": cookies }, render(format, "loginresponse", reply));
    } catch (error) {
      if (!(error instanceof ApiFault)) throw error;
      refuse(error.errorcode, render(format, "loginresponse", faultReply(error)));
    }
}

function logout({ sessions, request, response }: Exchange, format: Format): void {
  const reply = sessions.logout(cookiesOf(request));
  const cookies = ["sessionkey=; HttpOnly; SameSite=Lax", `JSESSIONID=; ${EXPIRED}`, `sessionkey=; ${EXPIRED}`];
  send(response, 200, { ...headers(format), "Set-Cookie": cookies }, render(format, "logoutresponse", reply));
}

function headers(format: Format): Record<string, string | string[]> {
  return {
    "Content-Type": format === "json" ? "application/json;charset=utf-8" : "text/xml;charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1;mode=block",
    "content-security-policy": ["1", "default-src=none", "script-src=self", "connect-src=self", "img-src=self", "style-src=self"],
  };
}

function send(response: ServerResponse, status: number, fields: Record<string, string | string[]>, text = ""): void {
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
  response.writeHead(status, { "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

function notFound(path: string): string {
  const rows = [
    ["URI", path],
    ["STATUS", "404"],
    ["MESSAGE", "Not Found"],
    ["SERVLET", "default"],
  ].map(([name, value]) => `<tr><th>${name}:</th><td>${value}</td></tr>`);
  const head = `<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>\n<title>Error 404 Not Found</title>`;
  return `<html>\n<head>\n${head}\n</head>\n<body><h2>HTTP ERROR 404 Not Found</h2>\n<table>\n${rows.join("\n")}\n</table>\n\n</body>\n</html>\n`;
}
