import type { Context } from "../kernel/index.ts";
import { defineOwnership, heldBy, refuseChanged, takenMarks } from "../kernel/ownership.ts";
import { CobblerClient, type ItemKind, type TextKind } from "./client.ts";
import { commentWith, isShareable, marksOf } from "./comment.ts";
import type { CobblerConnection } from "./connection.ts";
import { distro } from "./distro.ts";
import { profile } from "./profile.ts";
import { repo } from "./repo.ts";
import { snippet } from "./snippet.ts";
import { system } from "./system.ts";
import { template } from "./template.ts";
import { remarkedText, marksOf as textMarks } from "./text.ts";

type Named = { server: CobblerConnection; name: string };

const items: [string, ItemKind][] = [
  [distro.type, "distro"],
  [profile.type, "profile"],
  [repo.type, "repo"],
  [system.type, "system"],
];

for (const [type, kind] of items) {
  defineOwnership<Named>(type, {
    async holdings(context, { server, name }) {
      const client = new CobblerClient(context, server);
      const item = await client.get(kind, name);
      const held = heldBy(marksOf(item), context.mark, isShareable(kind));
      return item ? [{ object: `${kind} ${name}`, system: client.system, ...held }] : [];
    },
    async take(context, { server, name }, holding) {
      const client = new CobblerClient(context, server);
      const item = await client.get(kind, name);
      refuseChanged(holding, heldBy(marksOf(item), context.mark, isShareable(kind)).holder);
      await client.save(
        kind,
        name,
        [["comment", commentWith(item, takenMarks(marksOf(item), holding, context.mark), context.mark)]],
        "edit",
      );
    },
  });
}

const texts: [string, TextKind][] = [
  [template.type, "template"],
  [snippet.type, "snippet"],
];

for (const [type, kind] of texts) {
  const read = async (context: Context, { server, name }: Named) => {
    const client = new CobblerClient(context, server);
    return { client, text: await client.readText(kind, name) };
  };
  defineOwnership<Named>(type, {
    async holdings(context, inputs) {
      const { client, text } = await read(context, inputs);
      const held = heldBy(textMarks(text), context.mark, true);
      return text === undefined ? [] : [{ object: `${kind} ${inputs.name}`, system: client.system, ...held }];
    },
    async take(context, inputs, holding) {
      const { client, text = "" } = await read(context, inputs);
      refuseChanged(holding, heldBy(textMarks(text), context.mark, true).holder);
      await client.editText(kind, inputs.name, (now = "") => remarkedText(now, takenMarks(textMarks(now), holding, context.mark)));
    },
  });
}
