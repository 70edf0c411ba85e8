import { createHash } from "node:crypto";
import { type Context, errorText, forgetSession, limiter, retry, session, TestbedError, waitFor } from "../kernel/index.ts";
import { type ApiError, apiFailure, isNotDone } from "./faults.ts";
import { exchange, type HttpReply } from "./http.ts";
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

/** Where a management server answers. */
export interface Place {
  address: string;
  port: number;
  /** Which of the clouds that were installed there one after the other. */
  installation?: string | undefined;
}

/** One call; listing thousands of objects takes a busy server tens of seconds. */
const CALL_SECONDS = 60;
/** The server's own limit for an asynchronous job. */
const JOB_SECONDS = 3600;
/** A signed request is worth nothing to whoever records it after this time; the server refuses more than fifteen minutes. */
const EXPIRES_SECONDS = 600;
/** Calls of this process that one server works on at the same time. */
const CONCURRENCY = 8;

/** Seconds until a job is looked at again: most are done within one, hosts and maintenance take minutes. */
export const pollPace = (waited: number) => (waited < 1 ? 0.1 : waited < 5 ? 0.3 : waited < 15 ? 1 : waited < 120 ? 3 : 10);

/** One management server's API as one operation sees it. */
export class CloudStackClient {
  readonly system: string;
  /** Tells this cloud from every other one, also from those that were installed on the same machine before. */
  readonly identity: string;
  readonly #context: Context;
  readonly #url: string;
  readonly #access: Access;

  constructor(context: Context, place: Place, access: Access) {
    this.#context = context;
    this.#url = `http://${place.address}:${place.port}/client/api`;
    this.#access = access;
    this.system = `CloudStack ${place.address}:${place.port}`;
    this.identity = `${this.system} ${place.installation ?? ""}`;
  }

  /** Reads; asked again while the server is unreachable. */
  read(command: string, parameters: Record<string, string> = {}): Promise<Reply> {
    return retry(this.#context.signal, () => this.once(command, parameters));
  }

  /**
   * Changes something. Sent again only when the server surely did nothing (refused connection, 503, 429): whether a change whose
   * answer was lost arrived, only a look can tell.
   * @param seconds how long the server may take for it
   */
  async change(command: string, parameters: Record<string, string>, seconds = CALL_SECONDS): Promise<Reply> {
    this.#context.signal.throwIfAborted();
    this.#context.touched();
    let last: TestbedError | undefined;
    const reply = await retry(this.#context.signal, async () => {
      try {
        return await this.once(command, parameters, seconds);
      } catch (error) {
        if (!(error instanceof TestbedError) || error.kind !== "unreachable" || isNotDone(error)) throw error;
        last = error;
        return undefined;
      }
    });
    if (reply) return reply;
    throw last;
  }

  /** Sets something to a value; sent again while the server is unreachable, for twice is the same as once. */
  set(command: string, parameters: Record<string, string>): Promise<Reply> {
    return retry(this.#context.signal, () => this.change(command, parameters));
  }

  /** Changes something, and waits for the job when the server made one of it (which commands do depends on the release). */
  async changeAndWait(command: string, parameters: Record<string, string>, seconds = CALL_SECONDS): Promise<Reply> {
    const reply = await this.change(command, parameters, seconds);
    return typeof reply.jobid === "string" ? this.#job(command, reply.jobid) : reply;
  }

  /** All objects of a list command, page by page; an empty list has neither count nor key. */
  async list<T = Reply>(command: string, key: string, parameters: Record<string, string> = {}): Promise<T[]> {
    const start = await this.read(command, parameters);
    const found = (start[key] ?? []) as T[];
    const { length: pagesize } = found;
    // Unasked for pages, the server gives as many as its `default.page.size`, and counts all.
    for (let page = 2; pagesize > 0 && found.length < Number(start.count ?? 0); page++) {
      const next = await this.read(command, { ...parameters, page: String(page), pagesize: String(pagesize) });
      const rows = (next[key] ?? []) as T[];
      if (rows.length === 0) break;
      found.push(...rows);
    }
    return found;
  }

  #job(command: string, jobid: string): Promise<Reply> {
    return waitFor<Reply>(
      `the job of ${command}`,
      this.#context,
      { timeoutSeconds: JOB_SECONDS, everySeconds: pollPace, object: `job ${jobid}`, system: this.system },
      async () => {
        const job = await this.read("queryAsyncJobResult", { jobid });
        if (job.jobstatus === 0) return { seen: "pending" };
        if (job.jobstatus === 1) return { done: (job.jobresult ?? {}) as Reply };
        const failure = (job.jobresult ?? {}) as Partial<ApiError>;
        throw apiFailure(this.system, `${command} (job ${jobid})`, { errorcode: Number(job.jobresultcode ?? 530), ...failure });
      },
    );
  }

  /** One request, one answer. A server that does not answer as the API is `unreachable`. */
  async once(command: string, parameters: Record<string, string> = {}, seconds = CALL_SECONDS): Promise<Reply> {
    const wanted = { command, response: "json", ...parameters };
    if (this.#access.kind !== "session") return this.#send(command, this.#authorised(wanted), seconds);
    const { user, password } = this.#access;
    const key = `${this.identity} ${user} ${createHash("sha256").update(password).digest("hex")}`;
    for (let renewed = false; ; renewed = true) {
      const known = await this.#session(key, this.#access);
      try {
        return await this.#send(command, { ...wanted, sessionkey: known.session.key }, seconds, known.session.cookie);
      } catch (error) {
        // A restart forgets every session; that of a fresh login is refused for another reason.
        if (!(error instanceof TestbedError) || error.code !== "401" || known.fresh || renewed) throw error;
        forgetSession(key);
      }
    }
  }

  async #session(key: string, access: { user: string; password: string }): Promise<{ session: Session; fresh: boolean }> {
    let fresh = false;
    const opened = await session(key, () => {
      fresh = true;
      return this.#logIn(access);
    });
    return { session: opened, fresh };
  }

  async #send(command: string, parameters: Record<string, string>, seconds: number, cookie?: string): Promise<Reply> {
    const response = await limiter(this.system, CONCURRENCY)(() => this.#fetch(command, parameters, seconds, cookie));
    return this.#unwrap(command, response.status, response.text);
  }

  #authorised(parameters: Record<string, string>): Record<string, string> {
    if (this.#access.kind !== "signed") return parameters;
    const expires = new Date(Date.now() + EXPIRES_SECONDS * 1000).toISOString().replace(/\.\d+Z$/, "+0000");
    const signed = { ...parameters, apiKey: this.#access.apiKey, signatureVersion: "3", expires };
    return { ...signed, signature: signature(signed, this.#access.secretKey) };
  }

  async #fetch(command: string, parameters: Record<string, string>, seconds: number, cookie?: string): Promise<HttpReply> {
    const text = queryText(parameters);
    const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(seconds * 1000)]);
    // A form keeps keys out of access logs and has no limit of length; the open port reads no body (cloudstack-observed facts 17).
    const open = this.#access.kind === "open";
    try {
      return await (open
        ? exchange(`${this.#url}?${text}`, { method: "GET", signal })
        : exchange(this.#url, { method: "POST", body: text, signal, ...(cookie ? { cookie } : {}) }));
    } catch (error) {
      const late = signal.aborted && !this.#context.signal.aborted;
      const { code } = error as NodeJS.ErrnoException;
      throw this.#unreachable(command, late ? `no answer within ${seconds} s` : connectFailure(error), code, error);
    }
  }

  /** The inside of the single envelope: its name is irregular, so it is not computed (cloudstack facts §2). */
  #unwrap(command: string, status: number, text: string): Reply {
    let reply: ApiError & Reply;
    try {
      const entry = Object.entries(JSON.parse(text) as Record<string, unknown>).find(([name]) => name !== "cloudstack-version");
      reply = entry?.[1] as ApiError & Reply;
    } catch {
      const seen = `HTTP ${status} without an API reply: ${text.slice(0, 120).replaceAll(/\s+/g, " ")}`;
      throw this.#unreachable(command, seen, String(status));
    }
    if (typeof reply !== "object" || reply === null) throw this.#unreachable(command, `HTTP ${status} with an empty reply`);
    if (typeof reply.errorcode === "number") throw apiFailure(this.system, command, reply);
    return reply;
  }

  async #logIn({ user, password }: { user: string; password: string }): Promise<Session> {
    const parameters = { command: "login", username: user, password, domain: "/", response: "json" };
    const { status, text, cookies } = await this.#fetch("login", parameters, CALL_SECONDS);
    const reply = this.#unwrap(`login of ${user}`, status, text);
    return { cookie: cookies.map((one) => one.split(";")[0]).join("; "), key: String(reply.sessionkey) };
  }

  #unreachable(command: string, message: string, code?: string, cause?: unknown): TestbedError {
    return new TestbedError({ system: this.system, object: command, kind: "unreachable", message, cause, ...(code ? { code } : {}) });
  }
}

/** An AggregateError, of a name that has several addresses, has no message. */
function connectFailure(error: unknown): string {
  return errorText(error) || (error as NodeJS.ErrnoException).code || "no connection";
}
