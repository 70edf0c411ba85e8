import type { Database } from "./database.ts";
import { Failure } from "./failure.ts";
import { recordOf } from "./fields.ts";
import { classes } from "./schema.ts";
import type { Methods } from "./toolstack.ts";
import { Typed } from "./wire.ts";

/** A token is the database's generation up to which the client knows everything; the empty one is before the beginning. */
function readToken(database: Database, token: string): number {
  if (token === "") return 0;
  if (!/^\d{20},\d+$/.test(token)) throw new Failure("EVENT_FROM_TOKEN_PARSE_FAILURE", token);
  const generation = Number(token.split(",")[0]);
  // Deletions before the toolstack began are known to nobody, and a generation to come to no client.
  if (generation < database.oldest || generation > database.generation) throw new Failure("EVENTS_LOST");
  return generation;
}

const writeToken = (generation: number) => `${String(generation).padStart(20, "0")},0`;

/** Subscriptions are `*`, a class, or `class/reference`, without regard to case. */
function wanted(subscriptions: readonly string[], kind: string, ref: string): boolean {
  return subscriptions.some((one) => {
    const [name = "", only] = one.split("/");
    return one === "*" || (name.toLowerCase() === kind.toLowerCase() && (only === undefined || only === ref));
  });
}

export function eventMethods(database: Database): Methods {
  return {
    "event.inject": {
      parameters: ["class", "ref"],
      run(name: string, ref: string) {
        const kind = Object.keys(classes).find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
        database.touch(database.get(kind, ref));
        // Just before the event, so that whoever goes on from here meets it.
        return writeToken(database.generation - 1);
      },
    },
    "event.from": {
      parameters: ["classes", "token", "timeout"],
      async run(subscriptions: string[], token: string, timeout: number) {
        const since = readToken(database, token);
        const deadline = performance.now() + Number(timeout) * 1000;
        const look = () => database.changesSince(since).filter((one) => wanted(subscriptions, one.class, one.ref));
        let found = look();
        // What changed since the token counts, not what changes from the call on: a task may have ended in between.
        for (let left = deadline - performance.now(); found.length === 0 && left > 0; left = deadline - performance.now()) {
          await database.nextChange(left);
          found = look();
        }
        const events = found.map((one, index) => ({
          id: String(index),
          timestamp: new Typed("float", Date.now() / 1000),
          class: one.class.toLowerCase(),
          operation: one.operation,
          ref: one.ref,
          ...(one.operation === "del" ? {} : { snapshot: recordOf(database.get(one.class, one.ref)) }),
        }));
        const counts = Object.fromEntries(Object.keys(classes).map((kind) => [kind.toLowerCase(), database.all(kind).length]));
        return { events, valid_ref_counts: counts, token: writeToken(database.generation) };
      },
    },
  };
}
