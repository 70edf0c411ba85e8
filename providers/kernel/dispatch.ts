import { changedReplacements, checkInputs, isHidden, jsonSafe, pickInputs } from "./check.ts";
import { definitionOf, SERVER_ID } from "./definition.ts";
import { runOperation } from "./operation.ts";
import { configure } from "./settings.ts";
import { listenForSignals } from "./shutdown.ts";

type Properties = Record<string, unknown>;

/** An error that keeps the resource in the state: Pulumi reads these fields of a thrown error (pulumi-dynamic facts §6). */
class PartialFailure extends Error {
  readonly id: string;
  readonly properties: Properties;
  readonly reasons: string[];
  constructor(id: string, properties: Properties, reason: string) {
    super(reason);
    this.id = id;
    this.properties = properties;
    this.reasons = [reason];
  }
}

const hidden = (properties: Properties) => Object.fromEntries(Object.entries(properties).filter(([key]) => isHidden(key)));

/** A program never sees a property called `id`, which the SDK takes for the resource's own: it has it under another name as well. */
const readable = (properties: Properties) => ("id" in properties ? { ...properties, [SERVER_ID]: properties.id } : properties);

async function create(kind: string, inputs: Properties) {
  const definition = definitionOf(kind);
  const id = definition.id(inputs);
  const outcome = await runOperation(definition, "create", inputs, async (context) => {
    const observed = await definition.observe(context, inputs, undefined);
    return definition.reconcile(context, inputs, observed, undefined);
  });
  if (outcome.failure) throw outcome.touched ? new PartialFailure(id, jsonSafe(inputs), outcome.failure.message) : outcome.failure;
  return { id, outs: jsonSafe(readable({ ...inputs, ...outcome.result })) };
}

async function update(kind: string, id: string, olds: Properties, news: Properties) {
  const definition = definitionOf(kind);
  const outcome = await runOperation(definition, "update", news, async (context) => {
    const observed = await definition.observe(context, news, olds);
    return definition.reconcile(context, news, observed, olds);
  });
  // The old outputs stay: what the remote object is now, the next update observes.
  if (outcome.failure)
    throw outcome.touched ? new PartialFailure(id, jsonSafe({ ...olds, ...hidden(news) }), outcome.failure.message) : outcome.failure;
  return { outs: jsonSafe(readable({ ...news, ...outcome.result })) };
}

async function read(kind: string, id: string, properties: Properties) {
  const definition = definitionOf(kind);
  const inputs = pickInputs(definition, properties);
  const outcome = await runOperation(definition, "read", properties, (context) => definition.observe(context, inputs, properties));
  if (outcome.failure) throw outcome.failure;
  if (!outcome.result) return {};
  const seen = { ...inputs, ...outcome.result.inputs, ...hidden(properties) };
  return { id, inputs: jsonSafe(seen), props: jsonSafe(readable({ ...seen, ...outcome.result.outputs })) };
}

async function remove(kind: string, properties: Properties) {
  const definition = definitionOf(kind);
  const outcome = await runOperation(definition, "delete", properties, (context) => definition.remove(context, properties));
  if (outcome.failure) throw outcome.failure;
}

/** The one entry of the stub that lives in the state: today's code for every operation, whatever wrote the state. */
export async function dispatch(kind: string, operation: string, args: readonly unknown[]): Promise<unknown> {
  const [first, second, third] = args as Properties[];
  switch (operation) {
    case "configure":
      listenForSignals();
      return configure(first as unknown as Parameters<typeof configure>[0]);
    case "check":
      return checkInputs(definitionOf(kind), second as Properties);
    case "diff": {
      const replaces = changedReplacements(definitionOf(kind), second as Properties, third as Properties);
      // No verdict on `changes`: the engine then compares the inputs itself and shows each property.
      return { replaces, deleteBeforeReplace: replaces.length > 0 };
    }
    case "create":
      return create(kind, first as Properties);
    case "read":
      return read(kind, String(args[0]), second as Properties);
    case "update":
      return update(kind, String(args[0]), second as Properties, third as Properties);
    case "delete":
      return remove(kind, second as Properties);
    default:
      throw new Error(`The engine asked for an unknown operation "${operation}" of ${kind}`);
  }
}
