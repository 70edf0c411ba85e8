import { request } from "node:http";

export interface HttpReply {
  status: number;
  text: string;
  cookies: string[];
}

export interface HttpRequest {
  method: "GET" | "POST";
  /** A form. */
  body?: string;
  cookie?: string;
  signal: AbortSignal;
}

/**
 * One request on a connection of its own: on a kept one that the server just closed it could not be told whether a change arrived.
 * Unlike `fetch`, it waits for an answer as long as the signal lets it: adding a host takes minutes.
 */
export function exchange(url: string, { method, body, cookie, signal }: HttpRequest): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(body === undefined
        ? {}
        : { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": String(Buffer.byteLength(body)) }),
      ...(cookie ? { Cookie: cookie } : {}),
    };
    const sent = request(url, { method, headers, agent: false, signal }, (response) => {
      const parts: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(parts).toString("utf8"),
          cookies: response.headers["set-cookie"] ?? [],
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
