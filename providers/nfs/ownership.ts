import { findMark, markText } from "../kernel/index.ts";
import { changedHands, defineOwnership, type Holding } from "../kernel/ownership.ts";
import { runOnServer } from "./server.ts";
import { object, type TemplateInputs, words } from "./staging.ts";
import { runStore, type StoreInputs, store } from "./store.ts";
import { template } from "./template.ts";

// A store that is taken keeps its content until the next `up`: its generation is then another one, unless it is the same stack's.
defineOwnership<StoreInputs>(store.type, {
  async holdings(context, inputs) {
    const seen = await runStore(context, inputs, "holder");
    if (seen.holder === undefined) return [];
    const holder = findMark(seen.holder);
    const holding: Holding = { object: `store ${inputs.path}`, system: `NFS server ${inputs.server.address}`, holder };
    return [seen.since ? { ...holding, since: seen.since } : holding];
  },
  async take(context, inputs, holding) {
    const seen = await runStore(context, inputs, "take", holding.holder ? markText(holding.holder) : "-");
    if (seen.taken !== "yes") throw changedHands(holding, seen.holder ?? "an empty directory");
  },
});

defineOwnership<TemplateInputs>(template.type, {
  async holdings(context, inputs) {
    const { holder } = await runOnServer(context, inputs.server, object(inputs), "template", words(context, inputs, "holder"));
    if (holder === undefined) return [];
    return [{ object: object(inputs), system: `NFS server ${inputs.server.address}`, holder: findMark(holder) }];
  },
  async take(context, inputs, holding) {
    const from = holding.holder ? markText(holding.holder) : "";
    const seen = await runOnServer(context, inputs.server, object(inputs), "template", words(context, inputs, "take", { from }));
    if (seen.taken !== "yes") throw changedHands(holding, seen.holder || "nobody");
  },
});
