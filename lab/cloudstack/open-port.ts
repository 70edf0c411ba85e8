import type { IncomingMessage, ServerResponse } from "node:http";
import type { Cloud } from "./cloud.ts";
import { type Format, faultReply, render } from "./envelope.ts";
import { ApiFault } from "./errors.ts";
import { parseQuery, splitUrl } from "./http.ts";

/**
 * Port 8096: no authentication, the account `system`, any path and method, only the query string (cloudstack-observed facts 8, 17).
 * Replies have no length: the end of the connection ends them.
 */
export async function answerOpenPort(cloud: Cloud, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parameters = parseQuery(splitUrl(request).query, "first");
  const { command } = parameters;
  // Only the exact word; the client port takes it in any case.
  const format: Format = parameters.response === "json" ? "json" : "xml";
  const contentType = format === "json" ? "application/json; charset=UTF-8" : "text/xml";
  try {
    const { wrapper, reply } = await cloud.run(cloud.system, command, parameters);
    send(response, 200, "OK", contentType, render(format, wrapper, reply));
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    send(response, error.errorcode, error.message, contentType, render(format, cloud.faultWrapper(command), faultReply(error)));
  }
}

/** The reason in the status line is the error's text. */
function send(response: ServerResponse, status: number, reason: string, contentType: string, text: string): void {
  response.removeHeader("Content-Length");
  response.removeHeader("Transfer-Encoding");
  response.writeHead(status, reason.replaceAll(/[^\x20-\x7e]/g, "?"), { "Content-Type": contentType, Connection: "Close" });
  response.end(text);
}
