import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import {
  type Context,
  changedFor,
  findMarks,
  joinedWith,
  keptFor,
  type Mark,
  markText,
  type Observed,
  standing,
  TestbedError,
  withMark,
  withoutMark,
} from "../kernel/index.ts";
import { CobblerClient, type TextKind } from "./client.ts";
import type { CobblerConnection } from "./connection.ts";
import { markLost, refuseForeign, TRIES } from "./item.ts";

export interface TextInputs {
  server: CobblerConnection;
  name: string;
  adopt: boolean;
  source: string;
  sha256: string;
}

export interface TextOutputs {
  bytes: number;
}

export const textFields = {
  source: z.string().min(1).describe("The file, relative to the project folder."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits")
    .describe("SHA-256 of its normalised text."),
};

export const textOutputs = { bytes: "Size of the text in bytes." };

/** Line ends normalised and exactly one at the end: cobbler's XML changes them otherwise, and every refresh would show drift. */
function normalise(text: string): string {
  return `${text.replaceAll("\r\n", "\n").trimEnd()}\n`;
}

/** SHA-256 of the normalised text, in lower-case hex. */
export function textDigest(text: string): string {
  return createHash("sha256").update(normalise(text)).digest("hex");
}

// `##` is a comment of Cheetah itself: the line is in the file but never in what a machine gets.
const FIRST_LINE = /^## cloudstack-testbed:\S+(?: cloudstack-testbed:\S+)*(?: (?<note>.*))?\n/;

/** What our first line says besides the marks; undefined in a text that is not ours. */
export function noteOf(text: string): string | undefined {
  const found = FIRST_LINE.exec(text);
  return found ? (found.groups?.note ?? "") : undefined;
}

/** The marks of a text; an empty one is nobody's: a full disk leaves one behind. */
export const marksOf = (text = ""): Mark[] => findMarks(text.split("\n", 1)[0] ?? "");

const bodyOf = (text: string) => text.replace(FIRST_LINE, "");

/** A text below these marks. */
function headed(body: string, marks: readonly Mark[], note: string): string {
  return `## ${[...marks.map(markText), ...(note ? [note] : [])].join(" ")}\n${body}`;
}

/** The same text with these marks, and no other; what else our first line says stays. */
export function remarkedText(text: string, marks: readonly Mark[]): string {
  return headed(bodyOf(text), marks, noteOf(text) ?? "");
}

export async function observeText(
  kind: TextKind,
  context: Context,
  inputs: TextInputs,
): Promise<Observed<TextInputs, TextOutputs> | undefined> {
  const text = await new CobblerClient(context, inputs.server).readText(kind, inputs.name);
  if (text === undefined) return undefined;
  const body = bodyOf(text);
  return { inputs: { sha256: textDigest(body) }, outputs: { bytes: Buffer.byteLength(normalise(body)) } };
}

/**
 * Writes the file unless the server has exactly it, and looks again: two stacks that share it may write it at the same time. `note` is kept
 * in our first line, see `noteOf`.
 */
export async function reconcileText(kind: TextKind, context: Context, inputs: TextInputs, note = ""): Promise<TextOutputs> {
  const client = new CobblerClient(context, inputs.server);
  const text = readSource(inputs);
  const wanted = (now = "") => headed(text, withMark(marksOf(now), context.mark), note);
  for (let tries = 0; tries <= TRIES; tries++) {
    const present = await client.readText(kind, inputs.name);
    const held = standing(marksOf(present), context.mark, true);
    if (present?.trim()) refuseForeign(client.system, `${kind} ${inputs.name}`, context, held, inputs.adopt);
    if (present !== undefined && normalise(present) === wanted(present)) return { bytes: Buffer.byteLength(text) };
    const same = present !== undefined && normalise(bodyOf(present)) === text;
    context.phase(same && held.is === "joinable" ? joinedWith(held.others) : "writing");
    if (!same && held.others.length > 0) context.warn(changedFor(held.others));
    await client.editText(kind, inputs.name, wanted);
  }
  throw markLost(client.system, `${kind} ${inputs.name}`);
}

function readSource(inputs: TextInputs): string {
  let text: string;
  try {
    text = normalise(readFileSync(inputs.source, "utf8"));
  } catch (error) {
    throw new TestbedError({
      system: "the checkout",
      object: inputs.source,
      kind: "invalid",
      code: "source-unreadable",
      message: `cannot be read (${(error as { code?: string }).code ?? String(error)})`,
      remedy: "create it, or correct its name in the site's inventory",
      cause: error,
    });
  }
  if (textDigest(text) === inputs.sha256) return text;
  throw new TestbedError({
    system: "the checkout",
    object: inputs.source,
    kind: "invalid",
    code: "source-changed",
    message: "changed while `pulumi up` ran",
    remedy: "run `pulumi up` again",
  });
}

/** Removes our text; an absent one is success, a foreign one stays and is warned of, one that other stacks use loses our mark only. */
export async function removeText(kind: TextKind, context: Context, state: Pick<TextInputs, "server" | "name">): Promise<void> {
  const client = new CobblerClient(context, state.server);
  const present = await client.readText(kind, state.name);
  if (present === undefined) return;
  const { is, others } = standing(marksOf(present), context.mark, true);
  if (present.trim() && is !== "ours") return context.warn(`${kind} ${state.name} carries another mark by now and was left alone`);
  if (others.length > 0) {
    context.phase(keptFor(others));
    return client.editText(kind, state.name, (now = "") => remarkedText(now, withoutMark(marksOf(now), context.mark)));
  }
  context.phase("removing");
  await client.removeText(kind, state.name);
}
