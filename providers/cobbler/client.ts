import { z } from "zod";
import { type Context, coalesce, limiter, session, TestbedError, waitFor } from "../kernel/index.ts";
import { type XmlRpcClient, XmlRpcFault, type XmlRpcValue, xmlRpcClient } from "../transport/xmlrpc.ts";
import { classifyFault } from "./faults.ts";

/** How a cobbler server is reached. */
export const connectionSchema = z.object({
  url: z.url().describe("Address of cobbler's XML-RPC API as it is reached from here, e.g. `http://driver/cobbler_api`."),
  credential: z.string().default("cobbler").describe("Name of the credential (`user`, `password`) in the stack configuration."),
});
export type CobblerConnection = z.infer<typeof connectionSchema>;

export type ItemKind = "distro" | "profile" | "system" | "repo";
/** A cobbler object as the server returns it. */
export type Item = Record<string, XmlRpcValue>;

interface Session {
  rpc: XmlRpcClient;
  token: string;
}

/** Seconds one call may take: a full sync of a large site takes minutes, and the server has no limit of its own. */
const CALL_SECONDS = 900;

/** One cobbler server as one operation sees it: one token per process, writes one at a time. */
export class CobblerClient {
  readonly system: string;
  readonly #connection: CobblerConnection;
  readonly #context: Context;
  readonly #write: <T>(task: () => Promise<T>) => Promise<T>;

  constructor(context: Context, connection: CobblerConnection) {
    this.#context = context;
    this.#connection = connection;
    this.system = `cobbler ${connection.url}`;
    // Concurrent writes store duplicate MACs and break syncs (cobbler facts §10).
    this.#write = limiter(`cobbler-write ${connection.url}`, 1);
  }

  async get(kind: ItemKind, name: string): Promise<Item | undefined> {
    const item = await this.#read(`get_${kind}`, [name]);
    // A missing object is the text "~", not a fault.
    return typeof item === "object" ? (item as Item) : undefined;
  }

  async find(kind: ItemKind, criteria: Record<string, string>): Promise<string[]> {
    return (await this.#read(`find_${kind}`, [criteria])) as string[];
  }

  async settings(): Promise<Record<string, XmlRpcValue>> {
    return (await this.#read("get_settings", [])) as Record<string, XmlRpcValue>;
  }

  readTemplate(name: string): Promise<string | undefined> {
    return this.#readText("get_autoinstall_templates", "read_autoinstall_template", name);
  }

  async #readText(list: string, read: string, name: string): Promise<string | undefined> {
    const names = (await this.#call(list, (token) => [token])) as string[];
    return names.includes(name) ? ((await this.#call(read, (token) => [name, token])) as string) : undefined;
  }

  writeTemplate(name: string, text: string): Promise<void> {
    return this.write(async () => void (await this.#call("write_autoinstall_template", (token) => [name, text, token])));
  }

  removeTemplate(name: string): Promise<void> {
    return this.write(async () => void (await this.#call("remove_autoinstall_template", (token) => [name, token])));
  }

  /** The answer file of a system as the machine will get it. A broken template answers with a comment instead (cobbler facts §8). */
  async renderAnswerFile(system: string): Promise<string> {
    return (await this.#read("generate_autoinstall", ["", system])) as string;
  }

  async installStatus(): Promise<Record<string, XmlRpcValue[]>> {
    return (await this.#call("get_status", (token) => ["normal", token])) as Record<string, XmlRpcValue[]>;
  }

  /** Runs a group of writes that no other write of this process may interrupt. */
  write<T>(task: () => Promise<T>): Promise<T> {
    return this.#write(async () => {
      this.#context.signal.throwIfAborted();
      this.#context.touched();
      return task();
    });
  }

  /** Sets attributes and saves, as one write. Cobbler persists first and may fault later: code `trigger-failed` means saved all the same. */
  async save(kind: ItemKind, name: string, attributes: readonly [string, XmlRpcValue][], mode: "new" | "edit"): Promise<void> {
    await this.write(async () => {
      const handle = (await this.#call(mode === "new" ? `new_${kind}` : `get_${kind}_handle`, (token) =>
        mode === "new" ? [token] : [name, token],
      )) as string;
      for (const [attribute, value] of mode === "new" ? [["name", name] as [string, XmlRpcValue], ...attributes] : attributes) {
        const accepted = await this.#call(`modify_${kind}`, (token) => [handle, attribute, value, token]);
        if (accepted !== true) {
          throw new TestbedError({
            system: this.system,
            object: `${kind} ${name}`,
            kind: "refused",
            message: `cobbler does not know the attribute ${attribute}`,
          });
        }
      }
      await this.#call(`save_${kind}`, (token) => [handle, token, mode === "new" ? "new" : "bypass"]);
    });
  }

  /** Not recursive: what hangs on the object is removed by its own resource first. */
  async remove(kind: ItemKind, name: string): Promise<void> {
    await this.write(async () => void (await this.#call(`remove_${kind}`, (token) => [name, token, false])));
  }

  /** One full sync, shared by all that ask before it starts. */
  sync(): Promise<void> {
    return coalesce(`cobbler-sync ${this.#connection.url}`, () =>
      this.write(async () => {
        const task = (await this.#call("background_sync", (token) => [{}, token])) as string;
        await waitFor(
          "the sync to complete",
          this.#context,
          { timeoutSeconds: CALL_SECONDS, everySeconds: 0.2, object: `task ${task}`, system: this.system },
          async () => {
            const state = String(((await this.#read("get_task_status", [task])) as XmlRpcValue[])[2]);
            if (state === "failed") {
              const log = String(await this.#read("get_event_log", [task]));
              throw new TestbedError({
                system: this.system,
                object: `task ${task}`,
                kind: "refused",
                message: `the sync failed: ${log.trim().split("\n").slice(-3).join(" / ")}`,
              });
            }
            return state === "complete" ? { done: undefined } : { seen: state };
          },
        );
      }),
    );
  }

  async #read(method: string, parameters: XmlRpcValue[]): Promise<XmlRpcValue> {
    return this.#call(method, () => parameters);
  }

  /** Calls with the shared token; a token that the server forgot (it restarts, tokens live in memory) is renewed once. */
  async #call(method: string, parameters: (token: string) => XmlRpcValue[], renewed = false): Promise<XmlRpcValue> {
    const key = `cobbler ${this.#connection.url} ${this.#connection.credential}`;
    const current = await session<Session>(key, () => this.#login());
    try {
      return await current.rpc.call(method, parameters(current.token));
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      const fault = classifyFault(error.message);
      if (fault.code === "invalid-token" && !renewed) {
        current.token = (await this.#login()).token;
        return this.#call(method, parameters, true);
      }
      throw new TestbedError({
        system: this.system,
        object: method,
        kind: fault.kind,
        code: fault.code,
        message: fault.text,
        remedy: fault.remedy,
        cause: error,
      });
    }
  }

  async #login(): Promise<Session> {
    const rpc = xmlRpcClient(this.#connection.url, { system: this.system, timeoutSeconds: CALL_SECONDS });
    const { version, version_tuple: tuple } = (await rpc.call("extended_version", [])) as { version: string; version_tuple: number[] };
    if (tuple[0] !== 3 || (tuple[1] ?? 0) < 3) {
      throw new TestbedError({
        system: this.system,
        object: `version ${version}`,
        kind: "refused",
        message: "only cobbler 3.3 is supported",
        remedy: "use a driver with cobbler 3.3",
      });
    }
    const { user, password } = this.#context.credential(this.#connection.credential);
    try {
      return { rpc, token: (await rpc.call("login", [user ?? "", password ?? ""])) as string };
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      throw new TestbedError({
        system: this.system,
        object: `user ${user}`,
        kind: "refused",
        code: "login-failed",
        message: "cobbler refuses the login",
        remedy: `correct credentials.${this.#connection.credential} in the stack configuration`,
        cause: error,
      });
    }
  }
}
