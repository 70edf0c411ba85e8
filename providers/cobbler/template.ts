import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import { common } from "./fields.ts";
import { noteOf, observeText, reconcileText, removeText, type TextInputs, type TextOutputs, textFields, textOutputs } from "./text.ts";

export interface TemplateInputs extends TextInputs {
  kind: "shell" | "kickstart" | "preseed" | "xenserver";
}

/** The kind of a template of ours, from its first line; undefined where the text is not ours or says nothing. */
export function templateKind(text: string): string | undefined {
  return noteOf(text) || undefined;
}

export const template = defineResource<TemplateInputs, TextOutputs>({
  type: "cobbler:Template",
  summary: "An answer file kept in the repository and rendered by cobbler. The state holds its path and digest, not its text.",
  inputs: z.object({
    ...common,
    name: z
      .string()
      .regex(/^[A-Za-z0-9_.-]+$/, "may hold letters, digits and _ - . only")
      .describe("Name below cobbler's template folder."),
    ...textFields,
    kind: z
      .enum(["shell", "kickstart", "preseed", "xenserver"])
      .describe("What installer reads it; a kickstart is checked by `ksvalidator`."),
  }),
  outputs: textOutputs,
  replaceOn: ["server.url", "name"],
  deadlineSeconds: 120,
  id: (inputs) => `template/${inputs.name}`,
  observe: (context, inputs) => observeText("template", context, inputs),
  reconcile: (context, inputs) => reconcileText("template", context, inputs, inputs.kind),
  remove: (context, state) => removeText("template", context, state),
});
