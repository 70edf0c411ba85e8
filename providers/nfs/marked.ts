import { type Context, findMark, type Mark, sameMark } from "../kernel/index.ts";
import { type NfsServer, runOnServer } from "./server.ts";
import { removeFolder } from "./staging.ts";
import { store } from "./store.ts";

/** The places of one NFS server that stacks use. */
export interface NfsPlace {
  server: NfsServer;
  roots: string[];
  /** Where templates wait. */
  templates: string[];
}

/** Something on an NFS server that carries a mark. */
export interface MarkedPath {
  kind: "store" | "template";
  path: string;
  /** Undefined where what stands there is no mark. */
  mark: Mark | undefined;
}

/** Every store and every waiting template below the roots, of all stacks. */
export async function markedPaths(context: Context, { server, roots, templates }: NfsPlace): Promise<MarkedPath[]> {
  const seen = await runOnServer(context, server, "stores", "marked", [templates.join(" "), ...roots]);
  return Object.values(seen).map((line) => {
    const [kind = "", path = "", mark = ""] = line.split("\t");
    return { kind: kind as MarkedPath["kind"], path, mark: findMark(mark) };
  });
}

/** Removes one of them with its content, whatever made it: for what no state knows. What carries another mark than the context's stays. */
export async function removeMarked(context: Context, { server, roots }: NfsPlace, { kind, path, mark }: MarkedPath): Promise<void> {
  if (!sameMark(mark, context.mark)) return;
  if (kind === "template") return removeFolder(context, { server, roots }, path);
  const inputs = store.inputs.parse({ server, roots, path, kind: "primary", generation: "removed" });
  await store.remove(context, inputs as unknown as Parameters<typeof store.remove>[1]);
}
