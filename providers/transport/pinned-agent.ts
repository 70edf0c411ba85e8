import { Agent, type ClientRequestArgs, request } from "node:http";
import type { Duplex } from "node:stream";
import { openSocket } from "./socket.ts";

/** An agent whose every connection is checked against the pinned certificate before a byte of any request is sent. */
class PinnedAgent extends Agent {
  readonly #target: URL;
  readonly #fingerprint: string;

  constructor(target: URL, fingerprint: string) {
    super({ keepAlive: true, maxSockets: 16, timeout: 60_000 });
    this.#target = target;
    this.#fingerprint = fingerprint;
  }

  override createConnection(options: ClientRequestArgs, done: (error: Error | null, socket?: Duplex) => void): undefined {
    const signal = options.signal ?? new AbortController().signal;
    openSocket(this.#target, signal, this.#fingerprint).then(
      (socket) => done(null, socket),
      (error: Error) => done(error),
    );
  }
}

export interface HttpReply {
  status: number;
  body: Buffer;
}

/** The request failed. `sent` tells whether the server may have got it. */
export class RequestFailed extends Error {
  readonly sent: boolean;
  constructor(cause: unknown, sent: boolean) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "RequestFailed";
    this.sent = sent;
  }
}

/** An answer larger than its limit was not read further. */
export class AnswerTooLarge extends Error {}

/** Sends JSON to one HTTPS server over kept connections, all of them pinned to one certificate. */
export class PinnedHttps {
  readonly #target: URL;
  readonly #agent: PinnedAgent;

  constructor(url: string, fingerprint: string) {
    this.#target = new URL(url);
    this.#agent = new PinnedAgent(this.#target, fingerprint);
  }

  post(body: Buffer, maximumBytes: number, signal: AbortSignal): Promise<HttpReply> {
    const { hostname, pathname, host } = this.#target;
    const headers = { Host: host, "Content-Type": "application/json", "Content-Length": body.length };
    return new Promise((resolve, reject) => {
      let sent = false;
      const fail = (error: unknown) => reject(error instanceof AnswerTooLarge ? error : new RequestFailed(error, sent));
      const outgoing = request({ agent: this.#agent, method: "POST", host: hostname, path: pathname, headers, signal });
      outgoing.once("socket", () => (sent = true));
      outgoing.once("error", fail);
      outgoing.once("response", async (reply) => {
        try {
          const chunks: Buffer[] = [];
          let bytes = 0;
          for await (const chunk of reply as AsyncIterable<Buffer>) {
            bytes += chunk.length;
            if (bytes > maximumBytes) throw new AnswerTooLarge();
            chunks.push(chunk);
          }
          resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(chunks) });
        } catch (error) {
          outgoing.destroy();
          fail(error);
        }
      });
      outgoing.end(body);
    });
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.destroy();
  }
}
