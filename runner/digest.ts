import { CommandError, exitStatus } from "../cli/exit.ts";
import type { OpenStack } from "../cli/stack.ts";
import { ensureStack, pulumi } from "./pulumi.ts";

type Properties = Record<string, unknown>;

/** One row of `pulumi preview --json`. */
export interface PreviewStep {
  op: string;
  urn: string;
  oldState?: { inputs?: Properties; outputs?: Properties };
  newState?: { inputs?: Properties };
  diffReasons?: string[] | null;
  replaceReasons?: string[] | null;
  detailedDiff?: Record<string, { kind: string; inputDiff: boolean }> | null;
}

export interface PreviewDigest {
  steps: PreviewStep[];
  changeSummary: Record<string, number>;
  diagnostics?: { urn?: string; message?: string; severity?: string }[];
  maybeCorrupt?: boolean;
}

/** What `up` would do, from the engine itself. It needs no running lab. */
export async function previewDigest(opened: OpenStack): Promise<PreviewDigest> {
  await ensureStack(opened);
  const output = await pulumi(opened, ["preview", "--json", "--show-sames"], "Its reason is shown above");
  return parseDigest(output);
}

/** Reads what `pulumi preview --json` printed. Plugins may print lines of their own before it. */
export function parseDigest(output: string): PreviewDigest {
  const at = output.search(/^\{/m);
  try {
    if (at < 0) throw new SyntaxError("there is no JSON object in it");
    const digest = JSON.parse(output.slice(at)) as Partial<PreviewDigest>;
    return { ...digest, steps: digest.steps ?? [], changeSummary: digest.changeSummary ?? {} };
  } catch (error) {
    throw new CommandError(
      exitStatus.infrastructure,
      `\`pulumi preview --json\` printed something else than one JSON object: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

/** A resource of ours that the stack wants. */
export interface WantedResource {
  /** `cobbler:System` */
  type: string;
  name: string;
  inputs: Properties;
}

/** Type and name of a URN: `cobbler:System`, `h11`. Components keep their own type. */
export function urnParts(urn: string): { type: string; name: string } {
  const [, , chain = "", ...name] = urn.split("::");
  const type = chain.split("$").at(-1) ?? "";
  return { type: type.replace(/^pulumi-nodejs:dynamic\//, ""), name: name.join("::") };
}

/** Every resource that the stack will have, with its checked arguments. */
export function wantedResources(digest: PreviewDigest): WantedResource[] {
  return digest.steps
    .filter((step) => step.newState?.inputs?.__owner !== undefined && !step.op.startsWith("delete"))
    .map((step) => ({ ...urnParts(step.urn), inputs: withoutHidden(step.newState?.inputs ?? {}) }));
}

/** The stub and what else only the kernel reads. */
export function withoutHidden(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith("__")));
}
