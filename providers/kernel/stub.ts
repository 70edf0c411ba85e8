import type { dynamic } from "@pulumi/pulumi";

/**
 * The provider object that Pulumi serialises into the state of every resource: it holds nothing but the kind and a way to
 * today's code. Keep it tiny and free of imports; a change of its text is a change of every resource.
 */
export function stub(kind: string): dynamic.ResourceProvider {
  // biome-ignore lint/suspicious/noExplicitAny: the engine's values have no type here, and the serialised text none at all
  const call = (operation: string, ...args: any[]): Promise<any> =>
    process.getBuiltinModule("module").createRequire(`${process.cwd()}/`)("./providers/runtime.ts").dispatch(kind, operation, args);
  return {
    configure: (request) => call("configure", request),
    check: (olds, news) => call("check", olds, news),
    diff: (id, olds, news) => call("diff", id, olds, news),
    create: (inputs) => call("create", inputs),
    read: (id, properties) => call("read", id, properties),
    update: (id, olds, news) => call("update", id, olds, news),
    delete: (id, properties) => call("delete", id, properties),
  };
}
