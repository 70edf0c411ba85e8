import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import { common } from "./fields.ts";
import { observeText, reconcileText, removeText, type TextInputs, type TextOutputs, textFields, textOutputs } from "./text.ts";

export const snippet = defineResource<TextInputs, TextOutputs>({
  type: "cobbler:Snippet",
  summary:
    "A part of answer files, included by `$SNIPPET('name')`. Cobbler has no guard on its removal: templates that use it must depend on it.",
  inputs: z.object({
    ...common,
    name: z
      .string()
      .regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/, "may hold letters, digits and _ - . / only")
      .refine((name) => !name.includes(".."), "may not hold `..`")
      .describe("Name below cobbler's snippet folder; `per_system/NAME/SYSTEM` and the like are cobbler's own way to override one."),
    ...textFields,
  }),
  outputs: textOutputs,
  replaceOn: ["server.url", "name"],
  deadlineSeconds: 120,
  id: (inputs) => `snippet/${inputs.name}`,
  observe: (context, inputs) => observeText("snippet", context, inputs),
  reconcile: (context, inputs) => reconcileText("snippet", context, inputs),
  remove: (context, state) => removeText("snippet", context, state),
});
