import { commandCatalogue, settingsCatalogue } from "./catalogue.ts";
import type { Caller } from "./command.ts";
import { commands } from "./commands.ts";
import { type Database, timeText } from "./database.ts";
import { type Reply, wrapper } from "./envelope.ts";
import { failed, unknownCommand } from "./errors.ts";
import { startJob } from "./jobs.ts";
import { checkParameters, type Parameters, refuseControlCharacters } from "./parameters.ts";

/** One running server: its database, and what it read from it when it started. */
export class Cloud {
  readonly database: Database;
  readonly started = timeText();
  readonly #loaded: Record<string, string>;

  constructor(database: Database) {
    this.database = database;
    this.#loaded = Object.fromEntries(settingsCatalogue.map(({ name }) => [name, this.stored(name) ?? ""]));
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
  run(caller: Caller, name: string | undefined, parameters: Parameters): { wrapper: string; reply: Reply } {
    refuseControlCharacters(parameters);
    if (!name) throw unknownCommand("Invalid request, no command sent");
    const description = commandCatalogue.get(name);
    if (!description) throw unknownCommand(`Unknown API command: ${name}`);
    const command = commands[name];
    if (!this.mayUse(caller, name))
      throw unknownCommand(`The API [${name}] does not exist or is not available for the account for user id [${caller.user.id}].`);
    checkParameters(description, parameters, this.database);
    if (!command) throw failed(`The lab does not emulate ${name}`);
    const run = () => command.run({ cloud: this, caller, parameters });
    const reply = command.job ? { jobid: startJob(this.database, caller, command.job, parameters.id, run).id } : run();
    this.database.save();
    return { wrapper: wrapper(name), reply };
  }

  /** The name of an error's envelope. */
  faultWrapper(name: string | undefined): string {
    return name && commandCatalogue.has(name) ? wrapper(name) : "errorresponse";
  }

  mayUse(caller: Caller, name: string): boolean {
    return caller.account.type === 1 || commands[name]?.forUsers === true;
  }
}
