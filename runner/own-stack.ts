import { createInterface } from "node:readline/promises";
import { CommandError, exitStatus } from "../cli/exit.ts";
import type { OpenStack } from "../cli/stack.ts";
import { table } from "../cli/table.ts";
import { type Context, type Mark, markText } from "../providers/kernel/index.ts";
import { previewDigest, type WantedResource, wantedResources } from "./digest.ts";
import { atSite, stackMark } from "./site-context.ts";
import { concernsHost, hostNames, isOurs, type Surveyed, surveySite, takeAll } from "./survey.ts";

export interface OwnOptions {
  yes: boolean;
  json: boolean;
}

/** Takes over what another stack, or this one from another state, holds. Returns the exit status of the command. */
export async function takeover(opened: OpenStack, hosts: readonly string[], options: OwnOptions): Promise<number> {
  const wanted = wantedResources(await previewDigest(opened));
  const known = hostNames(wanted);
  const strange = hosts.filter((host) => !known.includes(host));
  if (strange.length > 0)
    throw new CommandError(
      exitStatus.input,
      `Stack ${opened.stack} installs no ${strange.join(", ")}. Its machines: ${known.join(", ") || "none"}.`,
    );
  return decide(opened, wanted, options, {
    concerns: (row, mark) =>
      row.holding.holder !== undefined &&
      row.holding.shared === undefined &&
      !isOurs(row, mark) &&
      (hosts.length === 0 || hosts.some((host) => concernsHost(row, wanted, host))),
    nothing: "nothing of this is held by anybody else: there is nothing to take over",
    heading: `stack ${opened.stack} (owner ${stackMark(opened).owner}) would take over:`,
    meaning:
      "Somebody may be working with these machines now. After the takeover the next `up` of this stack changes, re-images or removes them;\n" +
      "the holder shown here can no longer change or remove them, and its next `up` is refused.",
    done: "taken over",
  });
}

/** Takes over what was made by hand and carries nobody's mark. Returns the exit status of the command. */
export async function adopt(opened: OpenStack, options: OwnOptions): Promise<number> {
  return decide(opened, wantedResources(await previewDigest(opened)), options, {
    concerns: (row) => row.holding.holder === undefined,
    nothing: "nothing that this stack wants was made by hand: there is nothing to adopt",
    heading: `made by hand, and wanted by stack ${opened.stack}:`,
    meaning:
      "Adopting puts this stack's mark on each and changes nothing else. The next `up` then changes what differs, and `destroy` removes them.",
    done: "adopted",
  });
}

interface Question {
  /** Which of what exists is asked about. */
  concerns(row: Surveyed, mark: Mark): boolean;
  nothing: string;
  heading: string;
  meaning: string;
  done: string;
}

function decide(opened: OpenStack, wanted: readonly WantedResource[], options: OwnOptions, question: Question): Promise<number> {
  return atSite(opened, async (context) => {
    const rows = (await surveySite(context, wanted)).filter((row) => question.concerns(row, context.mark));
    return act(opened, context, rows, options, question);
  });
}

async function act(opened: OpenStack, context: Context, rows: Surveyed[], options: OwnOptions, words: Question): Promise<number> {
  const blocked = rows.filter((row) => row.holding.obstacle !== undefined);
  if (options.json) process.stdout.write(`${JSON.stringify({ stack: opened.stack, objects: rows.map(asJson) }, undefined, 2)}\n`);
  else process.stdout.write(rows.length === 0 ? `${words.nothing}\n` : render(rows, context.mark, words));
  if (rows.length === 0) return exitStatus.ok;
  if (blocked.length > 0) {
    process.stderr.write(`testbed: ${blocked.length} of them cannot be taken yet; nothing was changed\n`);
    return exitStatus.infrastructure;
  }
  if (!options.yes && !(await agreed())) {
    process.stderr.write("testbed: nothing was changed; with --yes it is\n");
    return exitStatus.product;
  }
  await takeAll(context, rows, (row) => {
    if (!options.json) process.stdout.write(`${words.done}: ${row.holding.object} on ${row.holding.system}\n`);
  });
  return exitStatus.ok;
}

/** Only a person at a terminal is asked. */
async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question("Go on? Only `yes` does: ")).trim() === "yes";
  } finally {
    terminal.close();
  }
}

function render(rows: readonly Surveyed[], mark: Mark, words: Question): string {
  const cells = rows.map(({ holding }) => [holding.object, holding.system, holderText(holding.holder, mark), holding.since ?? ""]);
  const details = rows.flatMap(({ holding, differences }) => [
    ...(holding.obstacle ? [`  ${holding.object}: CANNOT BE TAKEN: ${holding.obstacle}`] : []),
    ...differences.map((difference) => `  ${holding.object}: ${difference}`),
  ]);
  const what = details.length > 0 ? `differs from what the stack wants:\n${details.join("\n")}\n` : "";
  return `${words.heading}\n${table([["OBJECT", "ON", "HOLDER", "SINCE"], ...cells])}${what}${words.meaning}\n`;
}

/** Whose mark it is, as a person says it. */
export function holderText(holder: Mark | undefined, ours: Mark): string {
  if (!holder) return "nobody";
  if (markText(holder) === markText(ours)) return "this stack";
  const same = holder.project === ours.project && holder.stack === ours.stack;
  return same
    ? `stack ${holder.stack} from another state (owner ${holder.owner})`
    : `stack ${holder.stack} of ${holder.project} (owner ${holder.owner})`;
}

function asJson({ resource, holding, differences }: Surveyed) {
  return { type: resource.type, name: resource.name, ...holding, differences };
}
