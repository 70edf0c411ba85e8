import { commandCatalogue, settingsCatalogue } from "./catalogue.ts";
import type { Clock } from "./clock.ts";
import type { Caller, Command, Request } from "./command.ts";
import { commands } from "./commands.ts";
import { type Database, type Row, timeText } from "./database.ts";
import { type Reply, wrapper } from "./envelope.ts";
import { failed, unknownCommand } from "./errors.ts";
import { startJob } from "./jobs.ts";
import { checkParameters, type Parameters, refuseControlCharacters, withUuids } from "./parameters.ts";

/** One running server: its database, and what it read from it when it started. */
export class Cloud {
  readonly database: Database;
  readonly started = timeText();
  readonly #loaded: Record<string, string>;

  readonly clock: Clock;
  /** What takes back each thing that is still to happen. */
  readonly #pending = new Set<() => void>();

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
    this.#loaded = Object.fromEntries(settingsCatalogue.map(({ name }) => [name, this.stored(name) ?? ""]));
  }

  /** Does something later, if the server still runs then. */
  after(seconds: number, work: () => void | Promise<void>): void {
    const cancel = this.clock.after(seconds, async () => {
      this.#pending.delete(cancel);
      await work();
      this.database.save();
    });
    this.#pending.add(cancel);
  }

  /** Holds a call back, as the server does while it waits for something itself. */
  pause(seconds: number): Promise<void> {
    return new Promise((resolve) => this.after(seconds, resolve));
  }

  /** The process ends: nothing of it happens any more. */
  end(): void {
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }

  /** The value of a setting in the database. */
  stored(name: string): string | undefined {
    const set = this.database.setting(name);
    return set === undefined ? settingsCatalogue.find((one) => one.name === name)?.value : (set ?? undefined);
  }

  /** The value that the server works with: of those that are not dynamic, the one of its start. */
  loaded(name: string): string {
    const description = settingsCatalogue.find((one) => one.name === name);
    return (description?.isdynamic ? this.stored(name) : this.#loaded[name]) ?? "";
  }

  callerOf(userId: string): Caller {
    const user = this.database.table("user").find((one) => one.id === userId);
    const account = this.database.table("account").find((one) => one.id === user?.accountId);
    if (!user || !account) throw new Error(`user ${userId} is not in the database`);
    return { user, account };
  }

  /** What the open port acts as. */
  get system(): Caller {
    const user = this.database.table("user").find((one) => one.username === "system");
    return this.callerOf(user?.id ?? "");
  }

  /** Runs a command whose caller is known, and gives the name and the content of the envelope. */
  async run(caller: Caller, name: string | undefined, given: Parameters): Promise<{ wrapper: string; reply: Reply }> {
    refuseControlCharacters(given);
    if (!name) throw unknownCommand("Invalid request, no command sent");
    const description = commandCatalogue.get(name);
    if (!description) throw unknownCommand(`Unknown API command: ${name}`);
    const command = commands[name];
    if (!this.mayUse(caller, name))
      throw unknownCommand(`The API [${name}] does not exist or is not available for the account for user id [${caller.user.id}].`);
    checkParameters(description, given, this.database);
    if (!command) throw failed(`The lab does not emulate ${name}`);
    const request = { cloud: this, caller, parameters: withUuids(description, given, this.database) };
    const reply = await this.#answer(command, request);
    this.database.save();
    return { wrapper: wrapper(name), reply };
  }

  async #answer(command: Command, request: Request): Promise<Reply> {
    if (!command.job) return command.run(request);
    const created = command.create?.(request);
    const instance = created?.id ?? request.parameters[command.job.instance ?? "id"];
    const job: Row = startJob(this, request.caller, command.job, instance, () => command.run({ ...request, job }, created));
    return { ...(created ? { id: created.id } : {}), jobid: job.id };
  }

  /** The name of an error's envelope. */
  faultWrapper(name: string | undefined): string {
    return name && commandCatalogue.has(name) ? wrapper(name) : "errorresponse";
  }

  mayUse(caller: Caller, name: string): boolean {
    return caller.account.type === 1 || commands[name]?.forUsers === true;
  }
}
