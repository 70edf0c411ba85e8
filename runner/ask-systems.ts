import { type Context, errorText } from "../providers/kernel/index.ts";
import type { MarkedObject, MarkedSystem } from "../providers/kernel/marked.ts";
import type { ListedSystem } from "./leftover-rows.ts";
import type { Outcome } from "./leftover-text.ts";

/** How long one system may take to say what it has. */
const ASK_SECONDS = 60;

/** Asks every system at the same time; those that do not answer keep nobody from being listed. */
export async function askAll(context: Context, systems: readonly MarkedSystem[]) {
  const answers = await Promise.allSettled(systems.map((system) => ask(context, system)));
  const listed: ListedSystem[] = [];
  const unasked: Outcome["unasked"] = [];
  for (const [index, answer] of answers.entries()) {
    const system = systems[index] as MarkedSystem;
    if (answer.status === "fulfilled") listed.push({ system, objects: answer.value });
    else unasked.push({ system: system.system, message: errorText(answer.reason) });
  }
  return { listed, unasked };
}

/** What one system has. */
export function ask(context: Context, system: MarkedSystem, limitSeconds = ASK_SECONDS): Promise<MarkedObject[]> {
  const limit = AbortSignal.timeout(limitSeconds * 1000);
  const silence = new Promise<never>((_resolve, reject) => {
    limit.addEventListener("abort", () => reject(new Error(`${system.system} did not say within ${limitSeconds} s what it has`)));
  });
  return Promise.race([system.list({ ...context, signal: AbortSignal.any([context.signal, limit]) }), silence]);
}
