import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { defineResource, findMark, markText, sameMark, TestbedError } from "../kernel/index.ts";
import { CobblerClient, type CobblerConnection } from "./client.ts";
import { common } from "./fields.ts";
import { refuseForeign } from "./item.ts";

export interface TemplateInputs {
  server: CobblerConnection;
  name: string;
  adopt: boolean;
  source: string;
  sha256: string;
  kind: "shell" | "kickstart" | "preseed" | "xenserver";
}

export interface TemplateOutputs {
  bytes: number;
}

/** Line ends normalised and exactly one at the end: cobbler's XML changes them otherwise, and every refresh would show drift. */
function normalise(text: string): string {
  return `${text.replaceAll("\r\n", "\n").trimEnd()}\n`;
}

export function templateDigest(text: string): string {
  return createHash("sha256").update(normalise(text)).digest("hex");
}

// `##` is a comment of Cheetah itself: the mark is in the template but never in what a machine gets.
const markLine = (mark: string) => `## ${mark}\n`;

function withoutMark(text: string): string {
  return text.replace(/^## cloudstack-testbed:\S+\n/, "");
}

export const template = defineResource<TemplateInputs, TemplateOutputs>({
  type: "cobbler:Template",
  summary: "An answer file kept in the repository and rendered by cobbler. The state holds its path and digest, not its text.",
  inputs: z.object({
    ...common,
    name: z
      .string()
      .regex(/^[A-Za-z0-9_.-]+$/, "may hold letters, digits and _ - . only")
      .describe("Name below cobbler's template folder."),
    source: z.string().min(1).describe("The file, relative to the project folder."),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe("SHA-256 of its normalised text."),
    kind: z.enum(["shell", "kickstart", "preseed", "xenserver"]).describe("What installer reads it."),
  }),
  outputs: { bytes: "Size of the text in bytes." },
  replaceOn: ["name"],
  deadlineSeconds: 120,
  id: (inputs) => `template/${inputs.name}`,
  async observe(context, inputs) {
    const text = await new CobblerClient(context, inputs.server).readTemplate(inputs.name);
    if (text === undefined) return undefined;
    const body = withoutMark(text);
    return { inputs: { sha256: templateDigest(body) }, outputs: { bytes: Buffer.byteLength(normalise(body)) } };
  },
  async reconcile(context, inputs) {
    const client = new CobblerClient(context, inputs.server);
    const text = normalise(readFileSync(inputs.source, "utf8"));
    if (templateDigest(text) !== inputs.sha256) {
      throw new TestbedError({
        system: "the checkout",
        object: inputs.source,
        kind: "invalid",
        message: "changed while `pulumi up` ran",
        remedy: "run `pulumi up` again",
      });
    }
    const present = await client.readTemplate(inputs.name);
    if (present !== undefined) refuseForeign(client.system, `template ${inputs.name}`, context, findMark(present), inputs.adopt);
    const wanted = markLine(markText(context.mark)) + text;
    if (present === undefined || present.trimEnd() !== wanted.trimEnd()) {
      context.phase("writing");
      await client.writeTemplate(inputs.name, wanted);
    }
    return { bytes: Buffer.byteLength(text) };
  },
  async remove(context, state) {
    const client = new CobblerClient(context, state.server);
    const present = await client.readTemplate(state.name);
    if (present === undefined) return;
    if (!sameMark(findMark(present), context.mark))
      return context.warn(`template ${state.name} carries another mark by now and was left alone`);
    await client.removeTemplate(state.name);
  },
});
