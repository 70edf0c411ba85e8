import { request } from "node:http";

export interface HttpCall {
  port: number;
  method: string;
  /** With its query. */
  path: string;
  body?: { type: string; text: string };
  cookie?: string;
}

export interface HttpAnswer {
  /** Null when the connection failed. */
  status: number | null;
  contentType?: string;
  description?: string;
  cookies: string[];
  /** The body, or why the connection failed. */
  text: string;
}

/** One request on a connection of its own; what every client library hides (reset, refused, raw bodies) is part of the answer. */
export function send(call: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve({ status: null, cookies: [], text: error.code ?? error.message });
    const sent = request(
      {
        host: "127.0.0.1",
        port: call.port,
        method: call.method,
        path: call.path,
        agent: false,
        headers: {
          ...(call.body ? { "Content-Type": call.body.type, "Content-Length": Buffer.byteLength(call.body.text) } : {}),
          ...(call.cookie ? { Cookie: call.cookie } : {}),
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("error", failed);
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => {
          const contentType = response.headers["content-type"];
          const description = response.headers["x-description"];
          resolve({
            status: response.statusCode ?? null,
            ...(contentType ? { contentType } : {}),
            ...(typeof description === "string" ? { description } : {}),
            cookies: response.headers["set-cookie"] ?? [],
            text: Buffer.concat(parts).toString("utf8"),
          });
        });
      },
    );
    sent.on("error", failed);
    sent.end(call.body?.text);
  });
}
