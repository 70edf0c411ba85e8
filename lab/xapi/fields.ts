import type { Database, Entity } from "./database.ts";
import { Failure } from "./failure.ts";
import { classes, type Field, type Value } from "./schema.ts";
import type { Methods } from "./toolstack.ts";
import { Typed } from "./wire.ts";

/** A record as it goes out. */
export function recordOf(entity: Entity): Record<string, unknown> {
  const schema = classes[entity.class] ?? {};
  return Object.fromEntries(Object.entries(schema).map(([name, field]) => [name, outgoing(field, entity.fields[name])]));
}

function outgoing(field: Field, value: Value): unknown {
  return field.type === "float" || field.type === "datetime" ? new Typed(field.type, value as string | number) : value;
}

/** A value from the wire in the type of its field: 64-bit integers may come as text. */
export function incoming(name: string, { type }: Pick<Field, "type">, value: unknown): Value {
  const wrong = () => new Failure("FIELD_TYPE_ERROR", name);
  switch (type) {
    case "int":
    case "float": {
      const number = typeof value === "number" || (typeof value === "string" && /^-?\d+$/.test(value)) ? Number(value) : Number.NaN;
      if (Number.isNaN(number) || (type === "int" && !Number.isInteger(number))) throw wrong();
      return number;
    }
    case "bool":
      if (typeof value !== "boolean") throw wrong();
      return value;
    case "set":
      if (!Array.isArray(value)) throw wrong();
      return value.map(String);
    case "map":
      if (value === null || typeof value !== "object" || Array.isArray(value)) throw wrong();
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
    default:
      if (typeof value !== "string") throw wrong();
      return value;
  }
}

/** The fields of a record that a client sent to a `create`. A mandatory one that is missing is no tidy error (xapi facts §4). */
export function readRecord(kind: string, record: unknown): Record<string, Value> {
  const schema = classes[kind] ?? {};
  const given = (record ?? {}) as Record<string, unknown>;
  const values: Record<string, Value> = {};
  for (const [name, field] of Object.entries(schema)) {
    // What only the server changes is no parameter of a `create`, unless it is one that stays as it was made.
    if (field.readonly && !field.mandatory) continue;
    if (name in given) values[name] = incoming(name, field, given[name]);
    else if (field.mandatory) throw new Failure("INTERNAL_ERROR", `Server_helpers.Dispatcher_FieldNotFound("${name}")`);
  }
  return values;
}

/** What every class has, made of its fields. */
export function fieldMethods(database: Database): Methods {
  return Object.assign({}, ...Object.entries(classes).map(([kind, schema]) => classMethods(database, kind, schema))) as Methods;
}

function classMethods(database: Database, kind: string, schema: Record<string, Field>): Methods {
  const methods: Methods = {
    [`${kind}.get_all`]: { parameters: [], run: () => database.all(kind).map((one) => one.ref) },
    [`${kind}.get_all_records`]: {
      parameters: [],
      run: () => Object.fromEntries(database.all(kind).map((one) => [one.ref, recordOf(one)])),
    },
    [`${kind}.get_record`]: { parameters: ["self"], run: (ref: string) => recordOf(database.get(kind, ref)) },
    [`${kind}.get_by_uuid`]: { parameters: ["uuid"], run: (uuid: string) => database.byUuid(kind, uuid).ref },
  };
  if ("name_label" in schema)
    methods[`${kind}.get_by_name_label`] = {
      parameters: ["label"],
      run: (label: string) =>
        database
          .all(kind)
          .filter((one) => one.fields.name_label === label)
          .map((one) => one.ref),
    };
  for (const [name, field] of Object.entries(schema)) Object.assign(methods, accessors(database, kind, name, field));
  return methods;
}

function accessors(database: Database, kind: string, name: string, field: Field): Methods {
  const get = (ref: string) => database.get(kind, ref);
  const methods: Methods = {
    [`${kind}.get_${name}`]: { parameters: ["self"], run: (ref: string) => outgoing(field, get(ref).fields[name]) },
  };
  if (field.readonly) return methods;
  methods[`${kind}.set_${name}`] = {
    parameters: ["self", "value"],
    run: (ref: string, value: unknown) => database.set(get(ref), name, incoming(name, field, value)),
  };
  if (field.type === "map") {
    methods[`${kind}.add_to_${name}`] = {
      parameters: ["self", "key", "value"],
      run(ref: string, key: string, value: string) {
        const entity = get(ref);
        if (key in entity.fields[name]) throw new Failure("MAP_DUPLICATE_KEY", kind, name, ref, key, entity.fields[name][key], value);
        database.set(entity, name, { ...entity.fields[name], [key]: String(value) });
      },
    };
    methods[`${kind}.remove_from_${name}`] = {
      parameters: ["self", "key"],
      run(ref: string, key: string) {
        const { [key]: _, ...rest } = get(ref).fields[name];
        database.set(get(ref), name, rest);
      },
    };
  }
  if (name === "tags") {
    const change = (ref: string, tags: Iterable<string>) => database.set(get(ref), name, [...new Set(tags)]);
    methods[`${kind}.add_tags`] = {
      parameters: ["self", "value"],
      run: (ref: string, tag: string) => change(ref, [...get(ref).fields.tags, tag]),
    };
    methods[`${kind}.remove_tags`] = {
      parameters: ["self", "value"],
      run: (ref: string, tag: string) =>
        change(
          ref,
          (get(ref).fields.tags as string[]).filter((one) => one !== tag),
        ),
    };
  }
  return methods;
}
