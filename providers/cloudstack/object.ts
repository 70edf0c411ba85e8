import type { z } from "zod";
import { type Context, type Definition, defineResource, errorText, type Observed, TestbedError } from "../kernel/index.ts";
import { Cloud } from "./cloud.ts";
import type { CloudServer } from "./inputs.ts";

interface Common {
  server: CloudServer;
  zone?: string | undefined;
}

/** An object of a cloud: how it is found, made, compared, changed and deleted. The flow around that is the same for all. */
export interface CloudObject<I extends Common, O extends object, R extends object> {
  type: string;
  summary: string;
  inputs: z.ZodObject;
  outputs: Record<keyof O & string, string>;
  replaceOn: Definition<I, O>["replaceOn"];
  /** @default 900 */
  deadlineSeconds?: number;
  id(inputs: I): string;
  /** As errors name it: "pod POD0". */
  title(inputs: I): string;
  /** The object as the server has it now. A parent that is absent may be thrown as it is (code `absent`): then this is absent too. */
  find(cloud: Cloud, inputs: I, previous: (I & O) | undefined): Promise<R | undefined>;
  /** Refuses an object that may not be touched. By default its zone's mark decides. */
  refuse?(cloud: Cloud, inputs: I, row: R | undefined): Promise<void>;
  /** Gives the new object, or nothing where the reply does not tell: then it is looked for. */
  create(cloud: Cloud, inputs: I, previous: (I & O) | undefined): Promise<R | undefined>;
  /** Whether what was found after a failed creation is the object; a failed `addHost` leaves a row. */
  isSound?(row: R): boolean;
  /** The inputs that the server shows: what of them differs, `sync` sets. */
  shown(row: R, inputs: I): Partial<I>;
  made(row: R, inputs: I, previous: (I & O) | undefined): O;
  /** Brings the differing inputs to their wanted values. Gives the object when it became another one. */
  sync?(cloud: Cloud, inputs: I, row: R, differing: ReadonlySet<keyof I>, previous: (I & O) | undefined): Promise<void>;
  /** What only an action brings about, after all else. */
  settle?(cloud: Cloud, inputs: I, row: R, previous: (I & O) | undefined): Promise<R>;
  destroy(cloud: Cloud, state: I & O, row: R): Promise<void>;
}

interface Seen<I, O, R> extends Observed<I, O> {
  row?: R;
}

const isAbsence = (error: unknown) => error instanceof TestbedError && (error.code === "absent" || error.code === "431/9999");

/** What `find` finds; an absent parent means an absent object. */
async function look<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    // 431/9999: an id that never was, of a parent of an earlier installation.
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** The keys in order: those of a value that went through the engine are sorted, those of a reply are not. */
const ordered = (_: string, value: unknown) =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value;

export function differing<I extends object>(wanted: I, shown: Partial<I>): Set<keyof I> {
  const keys = Object.keys(shown) as (keyof I)[];
  return new Set(keys.filter((key) => JSON.stringify(shown[key], ordered) !== JSON.stringify(wanted[key], ordered)));
}

async function refuseByZone(cloud: Cloud, { zone }: Common): Promise<void> {
  if (zone !== undefined) await cloud.ownedZone(zone);
}

/** Makes a resource of it: observe → ensure → sync. */
export function defineCloudObject<I extends Common, O extends object, R extends object>(object: CloudObject<I, O, R>): Definition<I, O> {
  type State = I & O;
  const refuse = (cloud: Cloud, inputs: I, row: R | undefined) =>
    object.refuse ? object.refuse(cloud, inputs, row) : refuseByZone(cloud, inputs);

  /** Somebody else's creation of the same moment, and ours whose answer was lost, are found and taken. */
  async function ensure(cloud: Cloud, inputs: I, previous: State | undefined): Promise<R> {
    let failure: unknown;
    try {
      const made = await object.create(cloud, inputs, previous);
      if (made) return made;
    } catch (error) {
      failure = error;
    }
    const found = await look(() => object.find(cloud, inputs, previous)).catch((error: unknown) => {
      throw failure ?? error;
    });
    if (found && (failure === undefined || (object.isSound?.(found) ?? true))) return found;
    throw failure ?? notStored(cloud, object.title(inputs), "it to exist, as the server said", "nothing");
  }

  async function synced(cloud: Cloud, inputs: I, row: R, previous: State | undefined): Promise<R> {
    const differs = differing(inputs, object.shown(row, inputs));
    if (differs.size === 0 || !object.sync) return row;
    cloud.context.phase(`setting ${[...differs].join(", ")}`);
    await object.sync(cloud, inputs, row, differs, previous);
    // Replies of updates are not trusted: some show the state before the change (cloudstack-observed facts 40).
    const now = await look(() => object.find(cloud, inputs, previous));
    const shown: Partial<I> = now ? object.shown(now, inputs) : {};
    const [left] = differing(inputs, shown);
    if (now && left === undefined) return now;
    const name = String(left ?? "object");
    const seen = now ? shown[left as keyof I] : "nothing";
    throw notStored(cloud, object.title(inputs), `${name} ${JSON.stringify(inputs[left as keyof I])}`, JSON.stringify(seen));
  }

  return defineResource<I, O>({
    type: object.type,
    summary: object.summary,
    inputs: object.inputs,
    outputs: object.outputs,
    replaceOn: object.replaceOn,
    deadlineSeconds: object.deadlineSeconds ?? 900,
    id: object.id,
    async observe(context, inputs, previous) {
      const state = previous as State | undefined;
      try {
        const cloud = await Cloud.of(context, inputs.server);
        const row = await look(() => object.find(cloud, inputs, state));
        if (!row) return undefined;
        const seen: Seen<I, O, R> = { inputs: object.shown(row, inputs), outputs: object.made(row, inputs, state), row };
        return seen;
      } catch (error) {
        return keepLastSeen(context, object.outputs, state, error) as Observed<I, O>;
      }
    },
    async reconcile(context, inputs, observed, previous) {
      const cloud = await Cloud.of(context, inputs.server);
      let row = (observed as Seen<I, O, R> | undefined)?.row;
      await refuse(cloud, inputs, row);
      if (!row) {
        context.phase("creating");
        row = await ensure(cloud, inputs, previous);
      }
      row = await synced(cloud, inputs, row, previous);
      if (object.settle) row = await object.settle(cloud, inputs, row, previous);
      return object.made(row, inputs, previous);
    },
    async remove(context, state) {
      const cloud = await Cloud.of(context, state.server);
      const find = () => look(() => object.find(cloud, state, state));
      const row = await find();
      if (!row) return;
      try {
        await refuse(cloud, state, row);
      } catch (error) {
        if (!(error instanceof TestbedError) || error.code !== "foreign") throw error;
        return context.warn(`is in a zone of somebody else by now, and was left as it is (${error.message})`);
      }
      context.phase("deleting");
      try {
        await object.destroy(cloud, state, row);
      } catch (error) {
        if (await find().catch(() => row)) throw error;
      }
    },
  });
}

/** A server that is off or starts is not gone: what was seen last stays, with a warning. */
function keepLastSeen(
  context: Context,
  outputs: Record<string, string>,
  previous: object | undefined,
  error: unknown,
): Observed<object, object> {
  if (context.operation !== "read" || !previous || !(error instanceof TestbedError) || error.kind !== "unreachable") throw error;
  context.warn(`cannot be looked at (${errorText(error)}); what was seen last stays`);
  const known = Object.entries(previous).filter(([key]) => key in outputs);
  return { inputs: {}, outputs: Object.fromEntries(known) };
}

export function notStored(cloud: Cloud, object: string, expected: string, seen: string): TestbedError {
  return new TestbedError({
    system: cloud.client.system,
    object,
    kind: "refused",
    code: "not-stored",
    message: `expected ${expected}, but seen is ${seen}, though the server refused nothing`,
    remedy: "see the management server's log; run `pulumi up` again when somebody else changed it at the same time",
  });
}
