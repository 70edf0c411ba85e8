import * as pulumi from "@pulumi/pulumi";
import { type Definition, SERVER_ID } from "./definition.ts";
import { backendAddress, ownerId } from "./mark.ts";
import { stub } from "./stub.ts";

/** One shared provider object per kind: Pulumi's serialiser caches by object, so 1,000 resources cost one serialisation. */
const stubs = new Map<string, pulumi.dynamic.ResourceProvider>();

function stubOf(kind: string): pulumi.dynamic.ResourceProvider {
  let known = stubs.get(kind);
  if (!known) stubs.set(kind, (known = stub(kind)));
  return known;
}

interface Ancestor {
  __pulumiType?: string;
  __parentResource?: Ancestor;
}

/** The types from the outermost component down to this resource. An `Output` of the URN would deadlock below a component. */
function typeChain(parent: pulumi.Resource | undefined, type: string): string {
  const types = [type];
  for (let at = parent as unknown as Ancestor | undefined; at; at = at.__parentResource) {
    if (at.__pulumiType && at.__pulumiType !== "pulumi:pulumi:Stack") types.unshift(at.__pulumiType);
  }
  return types.join("$");
}

type Deep<T> = pulumi.Input<T extends readonly (infer E)[] ? Deep<E>[] : T extends object ? { [K in keyof T]?: Deep<T[K]> } : T>;

/** The arguments of a resource, each part a plain value or an output. Which may be left out, the schema knows: `check` fills them in. */
export type Arguments<I> = { [K in keyof I]?: Deep<I[K]> };

/**
 * Marks an output's rejection as handled. These two promises are all of an output that nobody else waits for; `pulumi.recover` does the same
 * with a second output beside each, which doubles what a program of a thousand machines makes.
 */
function ignoreRejection(output: pulumi.Output<unknown>): void {
  const { isKnown, isSecret } = output as unknown as Record<"isKnown" | "isSecret", Promise<boolean>>;
  for (const promise of [isKnown, isSecret]) promise.catch(() => undefined);
}

/** What makes an output besides its value; Pulumi's declarations leave it out. */
type OutputParts<T> = Record<"isKnown" | "isSecret", Promise<boolean>> & { promise(withUnknowns: boolean): Promise<T> };
type OutputMaker = new <T>(
  resources: pulumi.Resource[],
  value: Promise<T>,
  isKnown: Promise<boolean>,
  isSecret: Promise<boolean>,
  allResources: Promise<pulumi.Resource[]>,
) => pulumi.Output<T>;

/**
 * The value alone, without the resources that it came from. For an argument of a resource that waits for those anyway, since it depends on what
 * needs them: state would name each of them twice more, which made 12.7 KB of a gate over four hosts and three pools.
 */
export function valueOnly<T>(output: pulumi.Output<T>): pulumi.Output<T> {
  const { isKnown, isSecret } = output as unknown as OutputParts<T>;
  const value = (output as unknown as OutputParts<T>).promise(true);
  return new (pulumi.Output as unknown as OutputMaker)([], value, isKnown, isSecret, Promise.resolve([]));
}

/** The property of a resource in a program that holds an output: `id` is the resource's own there. */
const propertyOf = (output: string) => (output === "id" ? SERVER_ID : output);

/** A resource of this project in a Pulumi program. */
export class TestbedResource<I extends object, O extends object> extends pulumi.dynamic.Resource {
  constructor(definition: Definition<I, O>, name: string, args: Arguments<I>, options: pulumi.CustomResourceOptions = {}) {
    const [module, type] = definition.type.split(":") as [string, string];
    const project = pulumi.getProject();
    const stack = pulumi.getStack();
    const placeholders = Object.fromEntries(Object.keys(definition.outputs).map((key) => [propertyOf(key), undefined]));
    const urn = `urn:pulumi:${stack}::${project}::${typeChain(options.parent, `pulumi-nodejs:dynamic/${module}:${type}`)}::${name}`;
    const owner = `${project}/${stack}/${ownerId(backendAddress(), project, stack)}`;
    const secrets = [...(options.additionalSecretOutputs ?? []), ...(definition.secretOutputs ?? [])];
    const merged = { ...options, additionalSecretOutputs: secrets };
    const traced = Error.stackTraceLimit;
    // Pulumi notes a stack trace with each of the four promises of each property, for its leak report: half the time of a large program.
    Error.stackTraceLimit = 0;
    try {
      super(stubOf(definition.type), name, { ...placeholders, ...args, __urn: urn, __owner: owner }, merged, `${module}`, type);
    } finally {
      Error.stackTraceLimit = traced;
    }
    // The engine reports a resource that failed. That its outputs reject is no news, and would be printed below as a trace of the
    // program. Whoever depends on them still fails, and with it the program: else the engine took what is not registered for removed.
    for (const value of Object.values(this)) if (pulumi.Output.isInstance(value)) ignoreRejection(value);
  }

  /** An output (or input) of the resource. */
  output<K extends keyof (I & O) & string>(key: K): pulumi.Output<(I & O)[K]> {
    return (this as unknown as Record<string, pulumi.Output<(I & O)[K]>>)[propertyOf(key)] as pulumi.Output<(I & O)[K]>;
  }
}
