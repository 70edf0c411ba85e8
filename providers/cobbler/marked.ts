import { keysByType, type MarkedObject, type MarkedSystem } from "../kernel/marked.ts";
import { CobblerClient, type ItemKind, type TextKind } from "./client.ts";
import { marksOf } from "./comment.ts";
import type { CobblerConnection } from "./connection.ts";
import { distro } from "./distro.ts";
import { removeItem } from "./item.ts";
import { profile } from "./profile.ts";
import { repo } from "./repo.ts";
import { snippet } from "./snippet.ts";
import { syncRemovals } from "./strays.ts";
import { system } from "./system.ts";
import { template } from "./template.ts";
import { removeText, marksOf as textMarks } from "./text.ts";

/** What others hang on comes after them: cobbler refuses to remove a distro with profiles. */
const itemKinds: readonly ItemKind[] = ["system", "profile", "distro", "repo"];
const textKinds: readonly TextKind[] = ["template", "snippet"];

const named = (kind: string) => (inputs: Record<string, unknown>) => [`${kind}/${inputs.name}`];

/** Systems, profiles, distros, repositories, answer files and snippets of a cobbler server. */
export function markedCobbler(connection: CobblerConnection): MarkedSystem {
  return {
    system: `cobbler ${connection.url}`,
    server: connection.url,
    keysOf: keysByType({
      [system.type]: named("system"),
      [profile.type]: named("profile"),
      [distro.type]: named("distro"),
      [repo.type]: named("repo"),
      [template.type]: named("template"),
      [snippet.type]: named("snippet"),
    }),
    async list(context) {
      const client = new CobblerClient(context, connection);
      const found: MarkedObject[] = [];
      const add = (kind: string, name: string, marks: MarkedObject["marks"]) => {
        if (marks.length > 0) found.push({ key: `${kind}/${name}`, object: `${kind} ${name}`, marks });
      };
      for (const kind of itemKinds) for (const item of await client.all(kind)) add(kind, String(item.name), marksOf(item));
      for (const kind of textKinds) for (const [name, text] of await client.allTexts(kind)) add(kind, name, textMarks(text));
      return found;
    },
    async remove(context, { key }) {
      const at = key.indexOf("/");
      const [kind, name] = [key.slice(0, at), key.slice(at + 1)];
      const state = { server: connection, name, adopt: false };
      const text = textKinds.find((one) => one === kind);
      if (text) return removeText(text, context, state);
      const removed = await removeItem(kind as ItemKind, context, state);
      if (kind === "system" && removed === "removed") await syncRemovals(new CobblerClient(context, connection));
    },
  };
}
