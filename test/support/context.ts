import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Context, type Definition, errorText, type Mark, TestbedError } from "../../providers/kernel/index.ts";

export const ours: Mark = { project: "cloudstack-testbed", stack: "contract", owner: "00000000000000aa" };
export const theirs: Mark = { ...ours, owner: "00000000000000bb" };

const key = readFileSync(join(import.meta.dirname, "../../lab/keys/id_ed25519"), "utf8");

/** The lab's accounts, public by design. */
export const labCredentials: Record<string, Record<string, string>> = {
  cobbler: { user: "cobbler", password: "lab-cobbler" },
  bmc: { user: "lab", password: "labpass" },
  driver: { privateKey: key },
  hosts: { user: "root", privateKey: key },
  xenserver: { user: "root", password: "lab-xenserver" },
};

export type TestContext = Context & { phases: string[] };

/** A context as the kernel gives it, that records phases. */
export function testContext(mark: Mark = ours, credentials = labCredentials): TestContext {
  const phases: string[] = [];
  return {
    name: "test",
    urn: "urn:test",
    operation: "create",
    signal: AbortSignal.timeout(110_000),
    mark,
    phases,
    phase: (text) => void phases.push(text),
    touched: () => undefined,
    credential(name) {
      const found = credentials[name];
      if (!found) throw new Error(`no credential ${name}`);
      return found;
    },
    warn: (text) => void phases.push(`warning: ${text}`),
  };
}

/** Creates or updates through a definition, as the kernel does, with the schema's defaults filled in. */
export async function apply<I extends object, O extends object>(
  definition: Definition<I, O>,
  given: Partial<I>,
  context = testContext(),
  previous?: I & O,
): Promise<{ outputs: O; phases: string[] }> {
  const inputs = definition.inputs.parse(given) as I;
  const observed = await definition.observe(context, inputs, previous);
  return { outputs: await definition.reconcile(context, inputs, observed, previous), phases: context.phases };
}

/** What the server has, as inputs; undefined when the object is absent. */
export async function observed<I extends object, O extends object>(
  definition: Definition<I, O>,
  given: Partial<I>,
): Promise<Partial<I> | undefined> {
  const inputs = definition.inputs.parse(given) as I;
  return (await definition.observe(testContext(), inputs, undefined))?.inputs;
}

export async function drop<I extends object, O extends object>(
  definition: Definition<I, O>,
  given: Partial<I>,
  context = testContext(),
): Promise<string[]> {
  await definition.remove(context, definition.inputs.parse(given) as I & O);
  return context.phases;
}

/** The TestbedError that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<TestbedError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TestbedError) return error;
    throw new Error(`expected a TestbedError, got ${errorText(error)}`);
  }
  throw new Error("expected a failure");
}
