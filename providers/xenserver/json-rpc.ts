import { errorText, type FailureKind, TestbedError } from "../kernel/index.ts";
import { AnswerTooLarge, PinnedHttps, RequestFailed } from "../transport/pinned-agent.ts";
import { CertificateMismatch } from "../transport/socket.ts";
import { XapiFailure } from "./errors.ts";

/** Bytes an answer may have: the records of some thousand VMs. */
const MAXIMUM_BYTES = 64 * 2 ** 20;

class NotJsonRpc extends Error {}
class HttpStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`HTTP status ${status}`);
    this.status = status;
  }
}

/** XAPI's JSON-RPC 2.0 at one host, whose certificate is pinned. */
export class JsonRpc {
  readonly #https: PinnedHttps;
  readonly #system: string;
  readonly #timeoutSeconds: number;
  #id = 0;

  constructor(address: string, port: number, options: { system: string; tlsSha256: string; timeoutSeconds: number }) {
    const host = address.includes(":") ? `[${address.replace(/^\[|\]$/g, "")}]` : address;
    this.#https = new PinnedHttps(`https://${host}:${port}/jsonrpc`, options.tlsSha256);
    this.#system = options.system;
    this.#timeoutSeconds = options.timeoutSeconds;
  }

  /**
   * One call. Rejects with XapiFailure when XAPI answers with an error, else with a TestbedError: `unreachable` with code
   * `connect-failed` (nothing was sent), `connection-lost` or `server-down` (it may have been done); `timeout` with code `no-answer`
   * or `interrupted`; `refused` with code `certificate`, `too-large` or `not-xapi`.
   */
  async call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const limit = AbortSignal.timeout(this.#timeoutSeconds * 1000);
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", method, params, id: ++this.#id }));
    try {
      const reply = await this.#https.post(body, MAXIMUM_BYTES, AbortSignal.any([signal, limit]));
      if (reply.status !== 200) throw new HttpStatus(reply.status);
      return resultOf(reply.body.toString());
    } catch (error) {
      if (error instanceof XapiFailure) throw error;
      const fields = limit.aborted
        ? { kind: "timeout" as const, code: "no-answer", message: `no answer within ${this.#timeoutSeconds} s` }
        : signal.aborted
          ? { kind: "timeout" as const, code: "interrupted", message: `interrupted (${errorText(signal.reason)})` }
          : meaning(error);
      throw new TestbedError({ system: this.#system, object: method, cause: error, ...fields });
    }
  }

  close(): void {
    this.#https.close();
  }
}

function resultOf(text: string): unknown {
  let answer: { result?: unknown; error?: { message?: unknown; data?: unknown } | null };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new NotJsonRpc(`expected JSON, seen ${JSON.stringify(text.slice(0, 60))}`);
  }
  if (answer === null || typeof answer !== "object") throw new NotJsonRpc("expected an object");
  if (answer.error) {
    const data = Array.isArray(answer.error.data) ? answer.error.data.map(String) : [];
    throw new XapiFailure(String(answer.error.message), data);
  }
  if (!("result" in answer)) throw new NotJsonRpc("expected a result or an error");
  return answer.result;
}

function meaning(error: unknown): { kind: FailureKind; code: string; message: string; remedy?: string } {
  const cause = error instanceof RequestFailed ? error.cause : error;
  const message = errorText(error);
  if (cause instanceof CertificateMismatch)
    return {
      kind: "refused",
      code: "certificate",
      message,
      remedy: "nothing was sent; if the server's certificate was renewed, set tlsSha256 in the inventory to the SHA-256 of the new one",
    };
  if (error instanceof AnswerTooLarge)
    return { kind: "refused", code: "too-large", message: `its answer is larger than ${MAXIMUM_BYTES} bytes` };
  // A toolstack that restarts answers 5xx for up to a minute (xapi facts §2), and a malformed call too.
  if (error instanceof HttpStatus && error.status >= 500) return { kind: "unreachable", code: "server-down", message };
  if (error instanceof RequestFailed)
    return {
      kind: "unreachable",
      code: error.sent ? "connection-lost" : "connect-failed",
      message,
      remedy: "is the server running, and reachable from here?",
    };
  return { kind: "refused", code: "not-xapi", message, remedy: "is a XenServer or XCP-ng at this address?" };
}
