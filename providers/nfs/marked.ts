import { findMark } from "../kernel/index.ts";
import type { MarkedObject, MarkedSystem } from "../kernel/marked.ts";
import { type NfsServer, runOnServer } from "./server.ts";
import { folderName, removeFolder, templatesBelow } from "./staging.ts";
import { store } from "./store.ts";
import { template } from "./template.ts";

/** What marked.sh tells apart. */
const kinds: Record<string, { key: "store" | "template"; object(path: string): string }> = {
  store: { key: "store", object: (path) => `store ${path}` },
  template: { key: "template", object: (path) => `template ${path}` },
  // Removing it forgets it; the guards refuse where its disk is not mounted.
  record: { key: "store", object: (path) => `store ${path}, which is remembered and not there` },
};

/** The stores below an NFS server's roots, those that it only remembers, and the templates that wait beside them. */
export function markedStores(server: NfsServer, roots: string[]): MarkedSystem {
  return {
    system: `NFS server ${server.address}`,
    server: server.address,
    keysOf({ type, stack, inputs }) {
      if (type === store.type) return [`store${inputs.path}`];
      if (type === template.type) return [`template${inputs.directory}/${folderName(stack, String(inputs.checksum))}`];
      return [];
    },
    async list(context) {
      const seen = await runOnServer(context, server, "stores", "marked", [roots.map(templatesBelow).join(" "), ...roots]);
      return Object.values(seen).flatMap((line): MarkedObject[] => {
        const [name = "", path = "", text = ""] = line.split("\t");
        const [kind, mark] = [kinds[name], findMark(text)];
        return kind && mark ? [{ key: `${kind.key}${path}`, object: kind.object(path), marks: [mark] }] : [];
      });
    },
    async remove(context, { key }) {
      if (key.startsWith("template")) return removeFolder(context, { server, roots }, key.slice("template".length));
      const given = { server, roots, path: key.slice("store".length), kind: "primary", generation: "removed" };
      await store.remove(context, store.inputs.parse(given) as unknown as Parameters<typeof store.remove>[1]);
    },
  };
}
