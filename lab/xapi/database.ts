import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Failure } from "./failure.ts";
import { classes, type Value } from "./schema.ts";

// biome-ignore lint/suspicious/noExplicitAny: the schema says which field has which type; here all are alike
export type Fields = Record<string, any>;

export interface Entity {
  class: string;
  ref: string;
  fields: Fields;
  /** Generations of the database at which it was made and last changed. */
  created: number;
  modified: number;
}

interface Stored {
  generation: number;
  objects: Entity[];
}

/** Classes that live only as long as the toolstack does. */
const VOLATILE = ["task"];

/** The pool's objects: found by reference or uuid, written to a file after each change, numbered for events. */
export class Database {
  readonly #file: string;
  readonly #objects = new Map<string, Entity>();
  readonly #deleted: { class: string; ref: string; created: number; deleted: number }[] = [];
  readonly #waiting = new Set<() => void>();
  generation = 1;
  /** Events of deletions before this generation are lost. */
  readonly oldest: number;
  #dirty = false;

  constructor(file: string, seed: (database: Database) => void) {
    this.#file = file;
    if (existsSync(file)) {
      const stored = JSON.parse(readFileSync(file, "utf8")) as Stored;
      this.generation = stored.generation + 1;
      for (const object of stored.objects) this.#objects.set(object.ref, object);
    } else seed(this);
    this.oldest = this.generation;
    this.save();
  }

  create(kind: string, values: Fields): Entity {
    const schema = classes[kind] ?? {};
    const initial = Object.fromEntries(Object.entries(schema).map(([name, field]) => [name, structuredClone(field.initial)]));
    // A reference and a uuid differ, so that a client that takes one for the other fails.
    const entity = {
      class: kind,
      ref: `OpaqueRef:${randomUUID()}`,
      fields: { ...initial, uuid: randomUUID(), ...values },
      created: 0,
      modified: 0,
    };
    this.#objects.set(entity.ref, entity);
    this.touch(entity);
    entity.created = entity.modified;
    return entity;
  }

  set(entity: Entity, field: string, value: Value): void {
    entity.fields[field] = value;
    this.touch(entity);
  }

  touch(entity: Entity): void {
    entity.modified = this.#next();
  }

  delete(entity: Entity): void {
    this.#objects.delete(entity.ref);
    this.#deleted.push({ class: entity.class, ref: entity.ref, created: entity.created, deleted: this.#next() });
  }

  all(kind: string): Entity[] {
    return [...this.#objects.values()].filter((entity) => entity.class === kind);
  }

  get(kind: string, ref: string): Entity {
    const entity = this.#objects.get(ref);
    if (entity?.class !== kind) throw new Failure("HANDLE_INVALID", kind, String(ref));
    return entity;
  }

  byUuid(kind: string, uuid: string): Entity {
    const entity = this.all(kind).find((one) => one.fields.uuid === uuid);
    if (!entity) throw new Failure("UUID_INVALID", kind, String(uuid));
    return entity;
  }

  /** What was made, changed or deleted after a generation, each object once. */
  changesSince(generation: number): { operation: "add" | "mod" | "del"; class: string; ref: string }[] {
    const living = [...this.#objects.values()].filter((entity) => entity.modified > generation);
    const changed = living.map((entity) => ({
      operation: entity.created > generation ? ("add" as const) : ("mod" as const),
      class: entity.class,
      ref: entity.ref,
    }));
    const gone = this.#deleted.filter((one) => one.deleted > generation && one.created <= generation);
    return [...changed, ...gone.map((one) => ({ operation: "del" as const, class: one.class, ref: one.ref }))];
  }

  /** Resolves at the next change, or after the time. */
  nextChange(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#waiting.add(end);
    });
  }

  /** Writes what changed; a lab that is killed comes back with what was answered. */
  save(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    const objects = [...this.#objects.values()].filter((entity) => !VOLATILE.includes(entity.class));
    writeFileSync(`${this.#file}.new`, JSON.stringify({ generation: this.generation, objects } satisfies Stored));
    renameSync(`${this.#file}.new`, this.#file);
  }

  #next(): number {
    this.#dirty = true;
    this.generation++;
    for (const end of [...this.#waiting]) setImmediate(end);
    return this.generation;
  }
}
