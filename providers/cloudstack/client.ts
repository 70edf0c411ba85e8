import { type Context, errorText, limiter, retry, TestbedError, waitFor } from "../kernel/index.ts";
import { type ApiError, apiFailure } from "./faults.ts";
import { queryText, signature } from "./signing.ts";

export interface Keys {
  apiKey: string;
  secretKey: string;
}

/** As whom a client calls: anyone may on the open port, which acts as the account `system`. */
export type Access = { kind: "open" } | ({ kind: "signed" } & Keys) | { kind: "session"; user: string; password: string };

interface Session {
  cookie: string;
  key: string;
}

/** What stands inside the one envelope of a reply. */
export type Reply = Record<string, unknown>;

/** One call; listing thousands of objects takes a busy server tens of seconds. */
const CALL_SECONDS = 60;
/** The server's own limit for an asynchronous job. */
const JOB_SECONDS = 3600;
/** A signed request is worth nothing to whoever records it after this time; the server refuses more than fifteen minutes. */
const EXPIRES_SECONDS = 600;
/** Calls of this process that one server works on at the same time. */
const CONCURRENCY = 8;

/** One management server's API as one operation sees it. */
export class CloudStackClient {
  readonly system: string;
  readonly #context: Context;
  readonly #url: string;
  readonly #access: Access;
  #session: Session | undefined;
  #login: Promise<Session> | undefined;

  constructor(context: Context, place: { address: string; port: number }, access: Access) {
    this.#context = context;
    this.#url = `http://${place.address}:${place.port}/client/api`;
    this.#access = access;
    this.system = `CloudStack ${place.address}:${place.port}`;
  }

  /** Reads; asked again while the server is unreachable. */
  read(command: string, parameters: Record<string, string> = {}): Promise<Reply> {
    return retry(this.#context.signal, () => this.once(command, parameters));
  }

  /** Changes something; never sent twice, for the first may have arrived. */
  change(command: string, parameters: Record<string, string>): Promise<Reply> {
    this.#context.signal.throwIfAborted();
    this.#context.touched();
    return this.once(command, parameters);
  }

  /** Sets something to a value; sent again while the server is unreachable, for twice is the same as once. */
  set(command: string, parameters: Record<string, string>): Promise<Reply> {
    return retry(this.#context.signal, () => this.change(command, parameters));
  }

  /** Changes something, and waits for the job when the server made one of it (which commands do depends on the release). */
  async changeAndWait(command: string, parameters: Record<string, string>): Promise<Reply> {
    const reply = await this.change(command, parameters);
    return typeof reply.jobid === "string" ? this.#job(command, reply.jobid) : reply;
  }

  /** The objects of a list command; an empty list has neither count nor key. */
  async list<T = Reply>(command: string, key: string, parameters: Record<string, string> = {}): Promise<T[]> {
    return ((await this.read(command, parameters))[key] ?? []) as T[];
  }

  #job(command: string, jobid: string): Promise<Reply> {
    return waitFor<Reply>(
      `the job of ${command}`,
      this.#context,
      { timeoutSeconds: JOB_SECONDS, everySeconds: 1, object: `job ${jobid}`, system: this.system },
      async () => {
        const job = await this.read("queryAsyncJobResult", { jobid });
        if (job.jobstatus === 0) return { seen: "pending" };
        if (job.jobstatus === 1) return { done: (job.jobresult ?? {}) as Reply };
        throw apiFailure(this.system, `${command} (job ${jobid})`, job.jobresult as ApiError);
      },
    );
  }

  /** One request, one answer. A server that does not answer as the API is `unreachable`. */
  async once(command: string, parameters: Record<string, string> = {}): Promise<Reply> {
    const wanted = { command, response: "json", ...parameters };
    if (this.#access.kind !== "session" || !this.#session) return this.#send(command, wanted);
    try {
      return await this.#send(command, wanted);
    } catch (error) {
      // A restart forgets every session.
      if (!(error instanceof TestbedError) || error.code !== "401") throw error;
      this.#session = undefined;
      return this.#send(command, wanted);
    }
  }

  async #send(command: string, parameters: Record<string, string>): Promise<Reply> {
    if (this.#access.kind === "session") this.#session ??= await (this.#login ??= this.#logIn(this.#access));
    const response = await limiter(this.system, CONCURRENCY)(() => this.#fetch(command, this.#authorised(parameters)));
    return this.#unwrap(command, response.status, response.text);
  }

  #authorised(parameters: Record<string, string>): Record<string, string> {
    if (this.#session) return { ...parameters, sessionkey: this.#session.key };
    if (this.#access.kind !== "signed") return parameters;
    const expires = new Date(Date.now() + EXPIRES_SECONDS * 1000).toISOString().replace(/\.\d+Z$/, "+0000");
    const signed = { ...parameters, apiKey: this.#access.apiKey, signatureVersion: "3", expires };
    return { ...signed, signature: signature(signed, this.#access.secretKey) };
  }

  async #fetch(command: string, parameters: Record<string, string>): Promise<{ status: number; text: string; cookies: string[] }> {
    const text = queryText(parameters);
    // A form keeps keys out of access logs and has no limit of length; the open port reads no body (cloudstack-observed facts 17).
    const open = this.#access.kind === "open";
    const request: RequestInit = open ? {} : { method: "POST", body: text };
    const headers = { "Content-Type": "application/x-www-form-urlencoded", ...(this.#session ? { Cookie: this.#session.cookie } : {}) };
    const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(CALL_SECONDS * 1000)]);
    try {
      const response = await fetch(open ? `${this.#url}?${text}` : this.#url, {
        ...request,
        ...(open ? {} : { headers }),
        redirect: "manual",
        signal,
      });
      return { status: response.status, text: await response.text(), cookies: response.headers.getSetCookie() };
    } catch (error) {
      throw this.#unreachable(command, fetchFailure(error), error);
    }
  }

  /** The inside of the single envelope: its name is irregular, so it is not computed (cloudstack facts §2). */
  #unwrap(command: string, status: number, text: string): Reply {
    let reply: ApiError & Reply;
    try {
      const entry = Object.entries(JSON.parse(text) as Record<string, unknown>).find(([name]) => name !== "cloudstack-version");
      reply = entry?.[1] as ApiError & Reply;
    } catch {
      throw this.#unreachable(command, `HTTP ${status} without an API reply: ${text.slice(0, 120).replaceAll(/\s+/g, " ")}`);
    }
    if (typeof reply !== "object" || reply === null) throw this.#unreachable(command, `HTTP ${status} with an empty reply`);
    if (typeof reply.errorcode === "number") throw apiFailure(this.system, command, reply);
    return reply;
  }

  async #logIn({ user, password }: { user: string; password: string }): Promise<Session> {
    try {
      const { status, text, cookies } = await this.#fetch("login", {
        command: "login",
        username: user,
        password,
        domain: "/",
        response: "json",
      });
      const reply = this.#unwrap(`login of ${user}`, status, text);
      return { cookie: cookies.map((one) => one.split(";")[0]).join("; "), key: String(reply.sessionkey) };
    } finally {
      this.#login = undefined;
    }
  }

  #unreachable(command: string, message: string, cause?: unknown): TestbedError {
    return new TestbedError({ system: this.system, object: command, kind: "unreachable", message, cause });
  }
}

/** The reason is in the cause, which is an AggregateError without a message where a name has several addresses. */
function fetchFailure(error: unknown): string {
  const { cause } = error as { cause?: { message?: string; code?: string } };
  return cause ? cause.message || cause.code || errorText(error) : errorText(error);
}
