import { type Context, limiter, shared, TestbedError, unlessAborted, waitFor } from "../kernel/index.ts";
import type { XmlRpcValue } from "../transport/xmlrpc.ts";
import { isOurs, unfinishedComment } from "./comment.ts";
import { type Call, CobblerCalls, type CobblerConnection } from "./connection.ts";
import { wholeSystem } from "./whole-system.ts";

export type ItemKind = "distro" | "profile" | "system" | "repo";
/** A cobbler object as the server returns it. */
export type Item = Record<string, XmlRpcValue>;
/** An attribute and its value, or what makes it of the object as it is just before the write: another stack may have marked it since. */
export type Change = [attribute: string, value: XmlRpcValue | ((now: Item | undefined) => XmlRpcValue)];
/** A text that cobbler keeps as a file. */
export type TextKind = "template" | "snippet";

/** Seconds a full sync may take: of a large site it takes minutes, and the server has no limit of its own. */
const SYNC_SECONDS = 1800;

/** One cobbler server as one operation sees it: one token per process, writes one at a time. */
export class CobblerClient {
  readonly system: string;
  readonly url: string;
  readonly #context: Context;
  readonly #calls: CobblerCalls;
  readonly #write: <T>(task: () => Promise<T>) => Promise<T>;

  constructor(context: Context, connection: CobblerConnection) {
    this.#context = context;
    this.#calls = new CobblerCalls(context, connection);
    this.url = connection.url;
    this.system = this.#calls.system;
    // Concurrent writes store duplicate MACs and break syncs (cobbler facts §10).
    this.#write = limiter(`cobbler-write ${connection.url}`, 1);
  }

  async get(kind: ItemKind, name: string): Promise<Item | undefined> {
    return asItem(await this.#calls.call(`get_${kind}`, () => [name]));
  }

  async all(kind: ItemKind): Promise<Item[]> {
    return (await this.#calls.call(`get_${kind}s`, () => [])) as Item[];
  }

  async find(kind: ItemKind, criteria: Record<string, string>): Promise<string[]> {
    return (await this.#calls.call(`find_${kind}`, () => [criteria])) as string[];
  }

  async settings(): Promise<Record<string, XmlRpcValue>> {
    return (await this.#calls.call("get_settings", () => [])) as Record<string, XmlRpcValue>;
  }

  /** Everything that cobbler knows of a system, with what it inherits filled in. */
  async blended(system: string): Promise<Item> {
    return (await this.#calls.call("get_blended_data", () => ["", system])) as Item;
  }

  /** Undefined when there is no such text. */
  async readText(kind: TextKind, name: string): Promise<string | undefined> {
    return (await this.#textNames(kind)).includes(name) ? this.#text(kind, name) : undefined;
  }

  /** Every text of the server, by its name. */
  async allTexts(kind: TextKind): Promise<[name: string, text: string][]> {
    const names = await this.#textNames(kind);
    return Promise.all(names.map(async (name): Promise<[string, string]> => [name, await this.#text(kind, name)]));
  }

  async #textNames(kind: TextKind): Promise<string[]> {
    return (await this.#calls.call(`get_autoinstall_${kind}s`, (token) => [token])) as string[];
  }

  async #text(kind: TextKind, name: string): Promise<string> {
    return (await this.#calls.call(`read_autoinstall_${kind}`, (token) => [name, token])) as string;
  }

  /** Writes what `edit` makes of the text as it is just before the write: another stack may have marked it since it was looked at. */
  editText(kind: TextKind, name: string, edit: (now: string | undefined) => string): Promise<void> {
    return this.#writing(async () => {
      const text = edit(await this.readText(kind, name));
      await this.#calls.call(`write_autoinstall_${kind}`, (token) => [name, text, token]);
    });
  }

  removeText(kind: TextKind, name: string): Promise<void> {
    return this.#writing(() => this.#removed(() => this.#calls.call(`remove_autoinstall_${kind}`, (token) => [name, token])));
  }

  /** The answer file of a system as the machine will get it. A broken template answers with a comment instead (cobbler facts §8). */
  async renderAnswerFile(system: string): Promise<string> {
    return (await this.#calls.call("generate_autoinstall", () => ["", system])) as string;
  }

  async installStatus(): Promise<Record<string, XmlRpcValue[]>> {
    return (await this.#calls.call("get_status", (token) => ["normal", token])) as Record<string, XmlRpcValue[]>;
  }

  /**
   * Sets attributes and saves, as one write; without attributes it only saves, which refreshes boot files and services.
   * Cobbler persists first and may fault later, e.g. with `trigger-failed`: the object then carries a note, see comment.ts.
   */
  save(kind: ItemKind, name: string, attributes: readonly Change[], mode: "new" | "edit"): Promise<void> {
    let attempts = 0;
    return this.#writing(() =>
      this.#calls.together(async (call) => {
        // The answer to an earlier attempt may have got lost after it had made the object.
        const made = mode === "new" && attempts++ > 0 && (await this.#isOurs(call, kind, name));
        await this.#saveOnce(call, kind, name, attributes, made ? "edit" : mode);
      }),
    );
  }

  async #saveOnce(call: Call, kind: ItemKind, name: string, attributes: readonly Change[], mode: "new" | "edit") {
    const fresh = mode === "new";
    const once = fresh && kind === "system" ? wholeSystem(name, attributes) : undefined;
    const save = once
      ? () => call("xapi_object_edit", (token) => ["system", name, "add", once, token])
      : await this.#modified(call, kind, name, attributes, fresh);
    await save().catch(async (error: unknown) => {
      await this.#noteUnfinished(call, kind, name, error);
      throw error;
    });
  }

  /** Sets the attributes, and returns the save. */
  async #modified(call: Call, kind: ItemKind, name: string, attributes: readonly Change[], fresh: boolean) {
    const handle = (await (fresh
      ? call(`new_${kind}`, (token) => [token])
      : call(`get_${kind}_handle`, (token) => [name, token]))) as string;
    const modify = async ([attribute, given]: Change) => {
      const value = typeof given === "function" ? given(asItem(await call(`get_${kind}`, () => [name]))) : given;
      if ((await call(`modify_${kind}`, (token) => [handle, attribute, value, token])) === true) return;
      throw new TestbedError({
        system: this.system,
        object: `${kind} ${name}`,
        kind: "refused",
        code: "not-taken",
        message: `cobbler did not take the attribute ${attribute}: it does not know it, or the object was removed meanwhile`,
      });
    };
    if (fresh) await modify(["name", name]);
    for (const one of attributes) await modify(one);
    // Never "bypass" for a new one: it silently replaces another of the same name (cobbler facts §5).
    return () => call(`save_${kind}`, (token) => [handle, token, fresh ? "new" : "bypass"]);
  }

  /** Leaves a note on an object whose save faulted after the server had taken it, so that the next run finishes it. */
  async #noteUnfinished(call: Call, kind: ItemKind, name: string, error: unknown): Promise<void> {
    if (!(error instanceof TestbedError) || error.kind === "unreachable" || error.kind === "timeout") return;
    try {
      const item = asItem(await call(`get_${kind}`, () => [name]));
      if (!item || !isOurs(item, this.#context.mark)) return;
      const handle = (await call(`get_${kind}_handle`, (token) => [name, token])) as string;
      await call(`modify_${kind}`, (token) => [handle, "comment", unfinishedComment(kind, item, this.#context.mark), token]);
      await call(`save_${kind}`, (token) => [handle, token, "bypass"]);
    } catch {
      // This save persists the note and then faults for the same reason; the fault of the first is the one to report.
    }
  }

  async #isOurs(call: Call, kind: ItemKind, name: string): Promise<boolean> {
    const item = asItem(await call(`get_${kind}`, () => [name]));
    return item !== undefined && isOurs(item, this.#context.mark);
  }

  /** Not recursive: what hangs on the object is removed by its own resource first. */
  remove(kind: ItemKind, name: string): Promise<void> {
    return this.#writing(() => this.#removed(() => this.#calls.call(`remove_${kind}`, (token) => [name, token, false])));
  }

  /** Somebody else may remove it between our look and our removal: absent is what was wanted. */
  async #removed(removal: () => Promise<unknown>): Promise<void> {
    try {
      await removal();
    } catch (error) {
      if (!(error instanceof TestbedError) || error.code !== "missing") throw error;
    }
  }

  /** One full sync, shared by all that ask before it starts; a caller that is cancelled does not cancel it for the others. */
  sync(): Promise<void> {
    const { signal } = this.#context;
    this.#context.touched();
    const run = shared(`cobbler-sync ${this.url}`, signal, (all) => this.#write(() => this.#sync(this.#calls.under(all), all)));
    return unlessAborted(run, signal, { system: this.system, object: "full sync" });
  }

  /** A restart of cobblerd ends its tasks: the sync is then begun once more. */
  async #sync(calls: CobblerCalls, signal: AbortSignal): Promise<void> {
    try {
      await this.#syncOnce(calls, signal);
    } catch (error) {
      if (!(error instanceof TestbedError) || error.code !== "task-lost") throw error;
      await this.#syncOnce(calls, signal);
    }
  }

  async #syncOnce(calls: CobblerCalls, signal: AbortSignal): Promise<void> {
    const task = (await calls.together((call) => call("background_sync", (token) => [{}, token]).catch(refuseRepetition))) as string;
    await waitFor(
      "the sync to complete",
      { signal },
      { timeoutSeconds: SYNC_SECONDS, everySeconds: 0.2, object: `task ${task}`, system: this.system },
      async () => {
        const state = String(((await calls.call("get_task_status", () => [task])) as XmlRpcValue[])[2]);
        if (state === "failed") {
          const log = String(await calls.call("get_event_log", () => [task]));
          throw new TestbedError({
            system: this.system,
            object: `task ${task}`,
            kind: "refused",
            code: "sync-failed",
            message: `the sync failed: ${log.trim().split("\n").slice(-3).join(" / ")}`,
            remedy: "correct what its log names, then run `pulumi up` again",
          });
        }
        return state === "complete" ? { done: undefined } : { seen: state };
      },
    );
  }

  /** Runs a write that no other write of this process may interrupt. */
  #writing<T>(task: () => Promise<T>): Promise<T> {
    return this.#write(async () => {
      this.#context.signal.throwIfAborted();
      this.#context.touched();
      return task();
    });
  }
}

/** A missing object is the text "~", not a fault. */
function asItem(answer: XmlRpcValue): Item | undefined {
  return typeof answer === "object" ? (answer as Item) : undefined;
}

/** Whether a sync runs is unknown after a lost answer, and two at a time break each other (cobbler facts §10): no second try. */
function refuseRepetition(error: unknown): never {
  if (!(error instanceof TestbedError) || !["connection-lost", "server-down"].includes(error.code ?? "")) throw error;
  throw new TestbedError({
    system: error.system,
    object: error.object,
    kind: "refused",
    code: "sync-unknown",
    message: `its answer got lost, and with it whether the sync runs (${error.message})`,
    remedy: "run `pulumi up` again: it syncs once more",
    cause: error,
  });
}
