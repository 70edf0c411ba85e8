import { z } from "zod";
import { type Context, errorText, forgetSession, limiter, retry, session, TestbedError, unlessAborted } from "../kernel/index.ts";
import { type XmlRpcClient, XmlRpcFault, type XmlRpcValue, xmlRpcClient } from "../transport/xmlrpc.ts";
import { classifyFault } from "./faults.ts";

/** How a cobbler server is reached. */
export const connectionSchema = z
  .object({
    url: z
      .url({ protocol: /^https?$/, error: "must be an http: or https: address" })
      .describe("Address of cobbler's XML-RPC API as it is reached from here, e.g. `http://driver/cobbler_api`."),
    credential: z.string().default("cobbler").describe("Name of the credential (`user`, `password`) in the stack configuration."),
    tlsFingerprint: z
      .string()
      .regex(/^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/, "must be 32 hexadecimal bytes, with or without colons")
      .optional()
      .describe(
        "SHA-256 of the server's certificate (DER) for `https:`; no other is accepted. Without it, the machine's authorities decide.",
      ),
    timeoutSeconds: z
      .number()
      .positive()
      .default(300)
      .describe("Seconds one call may take; a save takes longer the more systems there are."),
  })
  .refine((connection) => connection.tlsFingerprint === undefined || connection.url.startsWith("https:"), {
    path: ["tlsFingerprint"],
    error: "pins a certificate, which only an https: address has",
  });
/** What a resource or a test gives; the schema's defaults may be left out. */
export type CobblerConnection = z.input<typeof connectionSchema>;

interface Session {
  rpc: XmlRpcClient;
  token: string;
  lost: boolean;
}

/** One call with the token of the session that the surrounding work began with. */
export type Call = (method: string, parameters: (token: string) => XmlRpcValue[]) => Promise<XmlRpcValue>;

/** Faults by which a server shows that it was restarted: tokens and the handles of new objects live in its memory. */
const RESTARTED = ["session-lost", "handle-lost"];

/** cobblerd's queue of connections holds 5, and one interpreter serves them all (cobbler facts §1). */
const SIMULTANEOUS_CALLS = 4;

/** Calls to one cobbler server: one token per process and credential, shared by all resources. */
export class CobblerCalls {
  readonly system: string;
  readonly #context: Context;
  readonly #connection: CobblerConnection;
  readonly #signal: AbortSignal;
  readonly #key: string;
  readonly #inTurn: <T>(task: () => Promise<T>) => Promise<T>;

  constructor(context: Context, connection: CobblerConnection, signal: AbortSignal = context.signal) {
    this.#context = context;
    this.#connection = connection;
    this.#signal = signal;
    this.system = `cobbler ${connection.url}`;
    this.#inTurn = limiter(`cobbler-call ${connection.url}`, SIMULTANEOUS_CALLS);
    this.#key = `cobbler ${JSON.stringify([connection.url, connection.credential, connection.tlsFingerprint])}`;
  }

  /** The same calls under another signal. */
  under(signal: AbortSignal): CobblerCalls {
    return new CobblerCalls(this.#context, this.#connection, signal);
  }

  /** One call that may be repeated without harm. */
  call(method: string, parameters: (token: string) => XmlRpcValue[]): Promise<XmlRpcValue> {
    return this.together((call) => call(method, parameters));
  }

  /**
   * Calls that belong together, all with one token. When the server is away or was restarted in between, all of them are
   * made anew: a restart drops what `modify_*` had set and no `save_*` had written, without a word.
   */
  async together<T>(work: (call: Call) => Promise<T>): Promise<T> {
    let last = "no call was made";
    try {
      return await retry(this.#signal, async () => {
        try {
          const current = await this.#session();
          return await work((method, parameters) => this.#once(current, method, parameters));
        } catch (error) {
          last = errorText(error);
          throw error;
        }
      });
    } catch (error) {
      if (error instanceof TestbedError || !this.#signal.aborted) throw error;
      throw new TestbedError({
        system: this.system,
        object: this.#context.name,
        kind: "timeout",
        code: "interrupted",
        message: `${errorText(this.#signal.reason)}; last: ${last}`,
        cause: error,
      });
    }
  }

  async #once(current: Session, method: string, parameters: (token: string) => XmlRpcValue[]): Promise<XmlRpcValue> {
    try {
      const call = () => current.rpc.call(method, parameters(current.token), this.#signal);
      return await unlessAborted(this.#inTurn(call), this.#signal, { system: this.system, object: method });
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      const failure = this.#failure(method, error);
      if (RESTARTED.includes(failure.code ?? "") && !current.lost) {
        current.lost = true;
        forgetSession(this.#key);
      }
      throw failure;
    }
  }

  #failure(object: string, fault: XmlRpcFault): TestbedError {
    const { text, ...meaning } = classifyFault(fault.message);
    return new TestbedError({ system: this.system, object, message: text, cause: fault, ...meaning });
  }

  #session(): Promise<Session> {
    const opening = session<Session>(this.#key, () => this.#login());
    return unlessAborted(opening, this.#signal, { system: this.system, object: "login" });
  }

  async #login(): Promise<Session> {
    const { url, tlsFingerprint, timeoutSeconds = 300 } = this.#connection;
    const rpc = xmlRpcClient(url, { system: this.system, timeoutSeconds, tlsFingerprint });
    // Without this caller's signal: the login is shared, and no deadline of one may end it for the others.
    const ask = (method: string, parameters: XmlRpcValue[]) =>
      rpc.call(method, parameters).catch((error: unknown) => {
        throw error instanceof XmlRpcFault ? this.#failure(method, error) : error;
      });
    this.#requireVersion(await ask("extended_version", []));
    const name = this.#connection.credential ?? "cobbler";
    const { user = "", password = "" } = this.#context.credential(name);
    try {
      return { rpc, token: (await ask("login", [user, password])) as string, lost: false };
    } catch (error) {
      if (!(error instanceof TestbedError) || error.code !== "login-failed") throw error;
      throw new TestbedError({
        system: this.system,
        object: `user ${user}`,
        kind: "refused",
        code: "login-failed",
        message: "cobbler refuses the login",
        remedy: `correct credentials.${name} in the stack configuration`,
        cause: error,
      });
    }
  }

  #requireVersion(answer: XmlRpcValue): void {
    const { version, version_tuple: tuple } = Object(answer) as { version?: unknown; version_tuple?: unknown };
    const [major, minor] = Array.isArray(tuple) ? (tuple as number[]) : [];
    if (major === 3 && minor === 3) return;
    throw new TestbedError({
      system: this.system,
      object: `version ${String(version ?? "unknown")}`,
      kind: "refused",
      code: "unsupported-version",
      message: "only cobbler 3.3 is supported",
      remedy: "use a driver with cobbler 3.3",
    });
  }
}
