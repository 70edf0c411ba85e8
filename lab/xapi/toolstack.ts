import { randomUUID } from "node:crypto";
import type { Database, Entity } from "./database.ts";
import { eventMethods } from "./events.ts";
import { Failure } from "./failure.ts";
import { fieldMethods } from "./fields.ts";
import type { Guests } from "./guests.ts";
import { hardwareMethods } from "./hardware.ts";
import { startTask, taskMethods } from "./tasks.ts";
import { virtualMachineMethods } from "./virtual-machine.ts";
import type { Call } from "./wire.ts";

/** A method behind its session: the names of its parameters, and what it does. */
export interface Method {
  parameters: readonly string[];
  /** More parameters that older clients leave out. */
  optional?: number;
  // biome-ignore lint/suspicious/noExplicitAny: parameters come from the wire; each method checks its own
  run(...params: any[]): unknown;
}
export type Methods = Record<string, Method>;

/** Errors that the toolstack shall answer with although nothing is wrong. */
export interface Sabotage {
  /** Called before a call that changes something; throws what it shall answer. */
  before(method: string): void;
  /** Called when a task begins to work. `hangs`: it never ends. */
  task(method: string): "runs" | "hangs";
  active(kind: "sr-full" | "no-tools"): boolean;
}

export interface Account {
  user: string;
  password: string;
}

/** What works on the pool's objects. */
export interface Toolstack {
  database: Database;
  guests: Guests;
  sabotage: Sabotage;
}

/** Whether a call changes something of the pool. */
export function changes(method: string): boolean {
  return !/^(session|task|event|system|Async\.task)\.|\.get_/.test(method);
}

/** Sessions, and the calls that need one. */
export class Api {
  readonly #sessions = new Set<string>();
  readonly #methods: Methods;
  readonly #toolstack: Toolstack;
  readonly #account: Account;

  constructor(toolstack: Toolstack, account: Account) {
    this.#toolstack = toolstack;
    this.#account = account;
    this.#methods = {
      ...fieldMethods(toolstack.database),
      ...hardwareMethods(toolstack),
      ...virtualMachineMethods(toolstack),
      ...taskMethods(toolstack.database),
      ...eventMethods(toolstack.database),
    };
  }

  /** Every session ends: what a restart of the toolstack, or a day of silence, does. */
  dropSessions(): void {
    this.#sessions.clear();
  }

  /** `coordinator`: where this host is only a member of the pool; then it says so, before it looks at a password. */
  async run({ method, params }: Call, coordinator: string | undefined): Promise<unknown> {
    if (method === "system.listMethods") return this.#names();
    if (coordinator !== undefined) throw new Failure("HOST_IS_SLAVE", coordinator);
    if (method === "session.login_with_password") return this.#login(params);
    const [session, ...rest] = params;
    if (!this.#sessions.has(String(session))) throw new Failure("SESSION_INVALID", String(session));
    if (method === "session.logout" || method === "session.local_logout") {
      this.#sessions.delete(String(session));
      return "";
    }
    if (changes(method)) this.#toolstack.sabotage.before(method);
    try {
      return await this.#dispatch(method, rest);
    } finally {
      this.#toolstack.database.save();
    }
  }

  #names(): string[] {
    const names = Object.keys(this.#methods);
    const tasks = names.filter((name) => changes(name)).map((name) => `Async.${name}`);
    return ["system.listMethods", "session.login_with_password", "session.logout", ...names, ...tasks].sort();
  }

  async #dispatch(name: string, params: unknown[]): Promise<unknown> {
    const asTask = name.startsWith("Async.");
    const method = this.#methods[asTask ? name.slice(6) : name];
    if (!method || (asTask && !changes(name))) throw new Failure("MESSAGE_METHOD_UNKNOWN", name);
    const least = method.parameters.length - (method.optional ?? 0);
    if (params.length < least || params.length > method.parameters.length)
      // Both counts with the session, as the server counts.
      throw new Failure("MESSAGE_PARAMETER_COUNT_MISMATCH", name, String(method.parameters.length + 1), String(params.length + 1));
    const work = async () => method.run(...params);
    return asTask ? startTask(this.#toolstack, name, work).ref : ((await work()) ?? "");
  }

  #login(params: unknown[]): string {
    const [user, password] = params;
    if (params.length < 2 || params.length > 4)
      throw new Failure("MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "4", String(params.length));
    if (user !== this.#account.user || password !== this.#account.password)
      throw new Failure("SESSION_AUTHENTICATION_FAILED", String(user), "Authentication failure");
    const session = `OpaqueRef:${randomUUID()}`;
    this.#sessions.add(session);
    return session;
  }
}

/** Runs a change of a VM under its name, so that another one meanwhile is refused. */
export async function exclusively<T>(database: Database, vm: Entity, operation: string, work: () => Promise<T>): Promise<T> {
  const [other] = Object.values(vm.fields.current_operations as Record<string, string>);
  if (other !== undefined) throw new Failure("OTHER_OPERATION_IN_PROGRESS", "VM", vm.ref, other, vm.ref);
  database.set(vm, "current_operations", { [`OpaqueRef:${randomUUID()}`]: operation });
  try {
    return await work();
  } finally {
    database.set(vm, "current_operations", {});
    database.save();
  }
}
