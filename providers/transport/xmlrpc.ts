import { Agent, type RequestOptions, request } from "node:http";
import type { Duplex } from "node:stream";
import { errorText, type FailureKind, TestbedError } from "../kernel/index.ts";
import { CertificateMismatch, openSocket } from "./socket.ts";
import { decodeResponse, encodeCall, NotXmlRpc, Unsendable, type XmlRpcValue } from "./xmlrpc-message.ts";

export { XmlRpcFault, type XmlRpcValue } from "./xmlrpc-message.ts";

export interface XmlRpcOptions {
  /** The server as errors name it. */
  system: string;
  /** Seconds one call may take from opening the connection to the last byte of the answer. */
  timeoutSeconds: number;
  /** SHA-256 fingerprint of the only certificate to accept, for `https:`; without it the machine's authorities decide. */
  tlsFingerprint?: string | undefined;
  /** Bytes an answer may have; more is code `too-large`. Default 64 MiB: about 20,000 systems of cobbler. */
  maximumBytes?: number;
}

export interface XmlRpcClient {
  /**
   * Calls a method. Rejects with XmlRpcFault when the server answers with a fault, else with a TestbedError:
   * `unreachable` with code `connect-failed` (nothing was sent), `connection-lost` or `server-down` (it may have been done);
   * `timeout` with code `no-answer` or `interrupted`; `refused` with code `certificate`, `too-large` or `not-xmlrpc`;
   * `invalid` with code `unsendable` (a value that XML-RPC has no form for). When the signal aborts, the connection is closed.
   */
  call(method: string, parameters: readonly XmlRpcValue[], signal?: AbortSignal): Promise<XmlRpcValue>;
}

const NEVER = new AbortController().signal;

const MAXIMUM_BYTES = 64 * 2 ** 20;

/** What a proxy in front of the server answers while the server itself is away. */
const SERVER_DOWN = [502, 503, 504];

class TooLarge extends Error {}

/**
 * How long an idle connection serves the next call. Shorter than any server's own limit (gunicorn 2 s, Apache 5 s), so that no call
 * is sent into a connection that the server is closing at that moment.
 */
const IDLE_MILLISECONDS = 1000;

/**
 * An XML-RPC client over HTTP or HTTPS. A proxy such as Apache keeps the connection for the next call; cobblerd itself speaks
 * HTTP/1.0 and closes it after each reply.
 */
export function xmlRpcClient(url: string, options: XmlRpcOptions): XmlRpcClient {
  const target = new URL(url);
  const maximumBytes = options.maximumBytes ?? MAXIMUM_BYTES;
  const agent = new Connections(target, options.tlsFingerprint);

  return {
    async call(method, parameters, signal = NEVER) {
      const limit = AbortSignal.timeout(options.timeoutSeconds * 1000);
      const either = AbortSignal.any([signal, limit]);
      let sent = false;
      try {
        const body = encodeCall(method, parameters);
        const reply = await post({ target, agent, body, maximumBytes, signal: either }, () => {
          sent = true;
        });
        if (reply.status !== 200) throw new HttpStatus(reply.status);
        return await decodeResponse(reply.body);
      } catch (error) {
        if (!either.aborted && !isTransportError(error)) throw error;
        const fields = limit.aborted
          ? late(options.timeoutSeconds)
          : signal.aborted
            ? interrupted(signal)
            : explain(error, sent, url, maximumBytes);
        throw new TestbedError({ system: options.system, object: method, cause: error, ...fields });
      }
    },
  };
}

class HttpStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`HTTP status ${status}`);
    this.status = status;
  }
}

/** Faults and this program's own mistakes pass as they are. */
function isTransportError(error: unknown): boolean {
  return [HttpStatus, TooLarge, NotXmlRpc, Unsendable, CertificateMismatch].some((kind) => error instanceof kind) || nodeCode(error) !== "";
}

interface Explanation {
  kind: FailureKind;
  code: string;
  message: string;
  remedy?: string;
}

function late(seconds: number): Explanation {
  return { kind: "timeout", code: "no-answer", message: `no answer within ${seconds} s`, remedy: "look at the server's load and log" };
}

function interrupted(signal: AbortSignal): Explanation {
  return { kind: "timeout", code: "interrupted", message: `interrupted before the answer came (${errorText(signal.reason)})` };
}

function explain(error: unknown, sent: boolean, url: string, maximumBytes: number): Explanation {
  if (error instanceof Unsendable) return { kind: "invalid", code: "unsendable", message: error.message };
  if (error instanceof CertificateMismatch || (!sent && isCertificateError(error))) {
    return {
      kind: "refused",
      code: "certificate",
      message: errorText(error),
      remedy: "nothing was sent; if the server's certificate was renewed, set tlsFingerprint to the SHA-256 of the new one",
    };
  }
  if (!sent && /^(ERR_SSL|EPROTO)/.test(nodeCode(error)))
    return { kind: "refused", code: "tls", message: errorText(error), remedy: `does the server speak TLS at ${url}?` };
  if (error instanceof TooLarge)
    return { kind: "refused", code: "too-large", message: `its answer is larger than ${maximumBytes} bytes and was not read further` };
  const otherStatus = error instanceof HttpStatus && !SERVER_DOWN.includes(error.status);
  if (error instanceof NotXmlRpc || otherStatus || nodeCode(error).startsWith("HPE_"))
    return {
      kind: "refused",
      code: "not-xmlrpc",
      message: `${url} does not speak XML-RPC: ${errorText(error)}`,
      remedy: "correct the address",
    };
  return {
    kind: "unreachable",
    code: error instanceof HttpStatus ? "server-down" : sent ? "connection-lost" : "connect-failed",
    message: errorText(error),
    remedy: `is the server running, and reachable at ${url} from here?`,
  };
}

/** Node's or OpenSSL's own name of the failure, e.g. `ECONNREFUSED`. */
function nodeCode(error: unknown): string {
  return String((error as { code?: unknown }).code ?? "");
}

function isCertificateError(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(nodeCode(error));
}

/** Node keeps `signal` from an agent: a request that is aborted would leave the opening of its connection to go on. */
interface Opening extends RequestOptions {
  opening?: AbortSignal;
}

/** The connections of one client, each opened with the pin. */
class Connections extends Agent {
  readonly #open: (signal: AbortSignal) => Promise<Duplex>;

  constructor(target: URL, pin: string | undefined) {
    super({ keepAlive: true, timeout: IDLE_MILLISECONDS });
    this.#open = (signal) => openSocket(target, signal, pin);
  }

  override createConnection(options: Opening, done: (error: Error | null, socket: Duplex) => void): undefined {
    // Node's type wants a socket with an error too; Node itself looks at the error only.
    this.#open(options.opening ?? NEVER).then(
      (socket) => done(null, socket),
      (error) => done(error, undefined as never),
    );
  }
}

interface Post {
  target: URL;
  agent: Agent;
  body: Buffer;
  maximumBytes: number;
  signal: AbortSignal;
}

/** `sending` is called once there is a connection: whatever fails later may have been done. */
function post({ target, agent, body, maximumBytes, signal }: Post, sending: () => void): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = {
      Host: target.host,
      "Content-Type": "text/xml",
      // cobblerd answers a chunked request with an empty status 500 (cobbler facts §1).
      "Content-Length": body.length,
    };
    const path = target.pathname + target.search;
    const options: Opening = { method: "POST", host: target.host, path, headers, agent, signal, opening: signal };
    const outgoing = request(options, async (reply) => {
      try {
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of reply as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > maximumBytes) throw new TooLarge();
          chunks.push(chunk);
        }
        resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(chunks) });
      } catch (error) {
        outgoing.destroy();
        reject(error);
      }
    });
    outgoing.once("socket", sending);
    // An aborted request may fail twice: by its signal, and by the connection that was being opened.
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
