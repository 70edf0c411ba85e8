import {
  type Context,
  forgetSession,
  limiter,
  markText,
  type Probe,
  rememberSecrets,
  retry,
  session,
  TestbedError,
  waitFor,
} from "../kernel/index.ts";
import type { XenServerConnection } from "./connection.ts";
import { explain, isGone, XapiFailure } from "./errors.ts";
import { JsonRpc } from "./json-rpc.ts";

interface Session {
  rpc: JsonRpc;
  ref: string;
  lost: boolean;
}

interface Task {
  status: "pending" | "success" | "failure" | "cancelling" | "cancelled";
  result: string;
  progress: number;
  error_info: string[];
}

/** Calls of one host that run at the same time. */
const CONCURRENCY = 8;
const POLL_SECONDS = 0.25;
/** A toolstack restart drops connections for up to a minute (xapi facts §2). */
const AWAY_SECONDS = 90;
/** A session may be gone, or its host have lost the coordinator's role: both end with a new login, once. */
const SESSION_LOST = ["SESSION_INVALID", "HOST_IS_SLAVE"];

/** Calls to one XenServer or XCP-ng pool: one session per process and credential, shared by all resources. */
export class Xapi {
  readonly system: string;
  readonly #context: Context;
  readonly #connection: XenServerConnection;
  readonly #key: string;

  constructor(context: Context, connection: XenServerConnection) {
    this.#context = context;
    this.#connection = connection;
    this.system = `XenServer ${connection.address}`;
    const { address, port, credential, tlsSha256 } = connection;
    this.#key = `xapi ${JSON.stringify([address, port, credential, tlsSha256])}`;
  }

  /** One call with the session in front. A session that is gone is renewed once; nothing else is repeated. */
  async call<T>(method: string, ...params: unknown[]): Promise<T> {
    for (let renewed = false; ; renewed = true) {
      const current = await session<Session>(this.#key, () => this.#login());
      try {
        const run = limiter(this.#key, CONCURRENCY);
        return (await run(() => current.rpc.call(method, [current.ref, ...params], this.#context.signal))) as T;
      } catch (error) {
        if (!(error instanceof XapiFailure)) throw error;
        if (renewed || !SESSION_LOST.includes(error.code)) throw explain(this.system, method, error);
        if (!current.lost) {
          current.lost = true;
          forgetSession(this.#key);
        }
      }
    }
  }

  /**
   * Does work that reads the state before it changes anything, and does it again, from the reading on, while the server is away
   * or busy: after a lost connection nobody knows whether a call was done.
   */
  step<T>(work: () => Promise<T>): Promise<T> {
    return retry(this.#context.signal, work, AWAY_SECONDS);
  }

  /** Runs a call as a task and follows it to its end. A task that does not end in time is cancelled. */
  async run(method: string, params: readonly unknown[], timeoutSeconds: number): Promise<void> {
    const task = await this.call<string>(`Async.${method}`, ...params);
    const options = { timeoutSeconds, everySeconds: POLL_SECONDS, object: method, system: this.system };
    try {
      const end = await waitFor<Task>("its task to end", this.#context, options, () => retry(this.#context.signal, () => this.#look(task)));
      if (end.status === "success") return;
      const [code = "TASK_CANCELLED", ...parameters] = end.status === "failure" ? end.error_info : [];
      throw explain(this.system, method, new XapiFailure(code, parameters));
    } catch (error) {
      if (error instanceof TestbedError && error.kind === "timeout") await this.#tolerate("task.cancel", task);
      throw error;
    } finally {
      await this.#tolerate("task.destroy", task);
    }
  }

  async #look(task: string): Promise<Probe<Task>> {
    try {
      const record = await this.call<Task>("task.get_record", task);
      return ["success", "failure", "cancelled"].includes(record.status)
        ? { done: record }
        : { seen: `${record.status}, ${Math.round(Number(record.progress) * 100)} %` };
    } catch (error) {
      if (!isGone(error, task)) throw error;
      // The toolstack was restarted: what became of the work, only the objects tell.
      throw new TestbedError({ system: this.system, object: "task", kind: "unreachable", code: "task-lost", message: "the task is gone" });
    }
  }

  /** For what only tidies up: the server forgets ended tasks by itself. */
  async #tolerate(method: string, task: string): Promise<void> {
    await this.call(method, task).catch((error: unknown) => {
      if (!(error instanceof TestbedError)) throw error;
    });
  }

  /** Without this caller's signal: the login is shared, and no deadline of one may end it for the others. */
  async #login(): Promise<Session> {
    const { address, port, tlsSha256, timeoutSeconds } = this.#connection;
    const signal = new AbortController().signal;
    const first = new JsonRpc(address, port, { system: this.system, tlsSha256, timeoutSeconds });
    try {
      return await this.#loginAt(first, signal);
    } catch (error) {
      first.close();
      if (!(error instanceof XapiFailure)) throw error;
      if (error.code !== "HOST_IS_SLAVE") throw this.#loginFailed(error);
      return this.#loginAtCoordinator(error.parameters[0] ?? "");
    }
  }

  /** The password goes only to a coordinator whose certificate is pinned: the address was chosen by the peer. */
  async #loginAtCoordinator(address: string): Promise<Session> {
    const { port, members, timeoutSeconds } = this.#connection;
    const tlsSha256 = members[address];
    if (!tlsSha256) {
      throw new TestbedError({
        system: this.system,
        object: "login",
        kind: "refused",
        code: "HOST_IS_SLAVE",
        message: `it is a member of a pool whose coordinator is ${address || "unknown"}, whose certificate is not pinned`,
        remedy: `name ${address} as the server, or add it with the SHA-256 of its certificate to the pool's members in the inventory; nothing was sent to it`,
      });
    }
    const rpc = new JsonRpc(address, port, { system: `XenServer ${address}`, tlsSha256, timeoutSeconds });
    try {
      return await this.#loginAt(rpc, new AbortController().signal);
    } catch (error) {
      rpc.close();
      throw error instanceof XapiFailure ? this.#loginFailed(error) : error;
    }
  }

  async #loginAt(rpc: JsonRpc, signal: AbortSignal): Promise<Session> {
    const { user = "", password = "" } = this.#context.credential(this.#connection.credential);
    // The server counts sessions by this label and drops the oldest of a label first: one per stack.
    const originator = markText(this.#context.mark);
    const ref = (await rpc.call("session.login_with_password", [user, password, "1.0", originator], signal)) as string;
    // Whoever has the reference has the session.
    rememberSecrets(ref);
    return { rpc, ref, lost: false };
  }

  #loginFailed(failure: XapiFailure): TestbedError {
    return explain(this.system, `login with credentials.${this.#connection.credential}`, failure);
  }
}
