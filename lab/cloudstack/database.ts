import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import { seedOfferings } from "./offerings.ts";
import { seedTemplates } from "./templates.ts";

export interface Row {
  /** The id of the API. */
  id: string;
  /** The id of the database, which error texts and some calls show. */
  databaseId: number;
  [field: string]: unknown;
}

interface Content {
  tables: Record<string, Row[]>;
  /** What was removed: its ids still name something (cloudstack-observed facts 5). */
  removed: Record<string, Row[]>;
  /** The last database id of each table. */
  counters: Record<string, number>;
  /** Values of global settings that were set; null: set to nothing. */
  settings: Record<string, string | null>;
  serverId: string;
  lastStop?: string;
}

/** As CloudStack writes times. */
export function timeText(date = new Date()): string {
  return date.toISOString().replace(/\.\d+Z$/, "+0000");
}

export const passwordHash = (password: string) => createHash("sha256").update(password).digest("hex");

/** Database ids of these tables do not begin at 1. */
const firstIds: Record<string, number> = { physicalnetwork: 199, network: 199 };

/** What one installation remembers, in one file. */
export class Database {
  readonly #file: string;
  readonly #content: Content;
  readonly #byId = new Map<string, Row>();
  #changed = false;

  constructor(file: string) {
    this.#file = file;
    if (existsSync(file)) {
      this.#content = JSON.parse(readFileSync(file, "utf8")) as Content;
      for (const rows of [this.#content.tables, this.#content.removed ?? {}].flatMap((tables) => Object.values(tables)))
        for (const row of rows) this.#byId.set(row.id, row);
    } else {
      this.#content = { tables: {}, removed: {}, counters: { ...firstIds }, settings: {}, serverId: randomUUID() };
      seed(this);
      this.save();
    }
  }

  table(name: string): readonly Row[] {
    return this.#content.tables[name] ?? [];
  }

  insert(table: string, fields: Record<string, unknown>): Row {
    const databaseId = (this.#content.counters[table] ?? 0) + 1;
    this.#content.counters[table] = databaseId;
    const row: Row = { id: randomUUID(), databaseId, ...fields };
    (this.#content.tables[table] ??= []).push(row);
    this.#byId.set(row.id, row);
    this.#changed = true;
    return row;
  }

  update(row: Row, fields: Record<string, unknown>): void {
    Object.assign(row, fields);
    this.#changed = true;
  }

  /** Takes a row out of its table; its id goes on naming it. */
  remove(table: string, row: Row): void {
    this.#content.tables[table] = this.table(table).filter((one) => one !== row);
    (this.#content.removed[table] ??= []).push(row);
    this.#changed = true;
  }

  /** Takes a row out as if it had never been. */
  forget(table: string, row: Row): void {
    this.#content.tables[table] = this.table(table).filter((one) => one !== row);
    this.#byId.delete(row.id);
    this.#changed = true;
  }

  /** The object with this id, in whatever table it is or was. */
  find(id: unknown): Row | undefined {
    return this.#byId.get(String(id));
  }

  /** The object of a table, or the removed one, by its database id. */
  numbered(table: string, databaseId: number): Row | undefined {
    return [...this.table(table), ...(this.#content.removed[table] ?? [])].find((row) => row.databaseId === databaseId);
  }

  hasRemoved(table: string): boolean {
    return (this.#content.removed[table] ?? []).length > 0;
  }

  isRemoved(table: string, row: Row): boolean {
    return this.#content.removed[table]?.includes(row) ?? false;
  }

  /** The value of a setting that was set: null when to nothing, undefined when it never was. */
  setting(name: string): string | null | undefined {
    return this.#content.settings[name];
  }

  set(setting: string, value: string | null): void {
    this.#content.settings[setting] = value;
    this.#changed = true;
  }

  get serverId(): string {
    return this.#content.serverId;
  }

  get lastStop(): string | undefined {
    return this.#content.lastStop;
  }

  set lastStop(time: string) {
    this.#content.lastStop = time;
    this.#changed = true;
  }

  /** What changed goes to the file, by rename: whoever ends the lab meanwhile leaves the old content or the new one. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#content));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

const systemCategories = ["CentOS", "Debian", "Oracle", "RedHat", "SUSE", "Windows", "Other", "Novel", "Unix", "Ubuntu", "None"];

/** What a freshly deployed database holds; the last account is one that the recorded server's plug-ins make at the first start. */
function seed(database: Database): void {
  const domain = database.insert("domain", { name: "ROOT" });
  seedTemplates(database);
  seedOfferings(database);
  for (const name of systemCategories) database.insert("oscategory", { name });
  const admin = { roleid: randomUUID(), roletype: "Admin", rolename: "Root Admin" };
  const user = { roleid: randomUUID(), roletype: "User", rolename: "User" };
  const people = [
    { name: "system", type: 1, role: admin, first: "system", last: "cloud" },
    { name: "admin", type: 1, role: admin, first: "Admin", last: "User", email: "admin@mailprovider.com", password: "password" },
    { name: "baremetal-system-account", type: 0, role: user, first: "baremetal-system-account", last: "baremetal-system-account" },
  ];
  for (const { name, type, role, first, last, email, password } of people) {
    const created = timeText();
    const account = database.insert("account", {
      ...{ name, type, role, domainId: domain.id, state: "enabled", isDefault: type === 1 },
      ...(type === 1 ? {} : { created }),
    });
    database.insert("user", {
      ...{ username: name, firstname: first, lastname: last, created, state: "enabled", accountId: account.id },
      ...(email ? { email } : {}),
      ...(password ? { password: passwordHash(password) } : {}),
      ...(type === 0 ? { apiKey: randomUUID() } : {}),
    });
  }
}
