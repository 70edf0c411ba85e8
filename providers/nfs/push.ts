import { Transform } from "node:stream";
import { type Context, errorText, retry, TestbedError } from "../kernel/index.ts";
import { runOnServer } from "./server.ts";
import { openSource } from "./source.ts";
import { failed, look, object, progressPhase, type TemplateInputs, words } from "./staging.ts";

/** Cut transfers in a row without a byte of progress. */
const ATTEMPTS = 5;

/** Fetches on this machine and sends it on as it comes; what arrived before a cut is not sent again. */
export async function stream(context: Context, inputs: TemplateInputs, reason: string): Promise<void> {
  let restart = false;
  for (let lost = 0, reached = 0; ; ) {
    const before = await look(context, inputs);
    if (before.state === "done") return;
    const cut = await send(context, inputs, restart ? 0 : before.fetched, reason);
    if (!cut) return;
    const after = await look(context, inputs);
    if (after.state === "done") return;
    // The kept part was another file's, once; a second time the file itself is wrong.
    if (after.code === "stale" && !restart) {
      restart = true;
      continue;
    }
    restart = false;
    if (after.code !== "cut" && !(cut instanceof TestbedError && cut.kind === "unreachable"))
      throw after.code ? failed(inputs, after) : cut;
    lost = after.fetched > reached ? 0 : lost + 1;
    reached = Math.max(reached, after.fetched);
    if (lost >= ATTEMPTS || context.signal.aborted) throw failed(inputs, { code: "cut", message: after.message || errorText(cut) });
    context.phase(`the transfer was cut (${errorText(cut)}); going on`);
  }
}

/** One transfer. Resolves with what cut it, or nothing. */
async function send(context: Context, inputs: TemplateInputs, from: number, reason: string): Promise<unknown> {
  const source = await retry(context.signal, () => openSource(inputs.url, from, context.signal)).catch((error: unknown) => {
    const code = error instanceof TestbedError && error.kind === "unreachable" ? "cut" : "fetch";
    throw failed(inputs, { code, message: `${errorText(error)}; ${reason}` });
  });
  const show = progressPhase(context, "streaming through this machine,", source.length);
  let sent = source.from;
  const meter = new Transform({
    transform(chunk: Buffer, _, done) {
      sent += chunk.length;
      show(sent);
      done(null, chunk);
    },
  });
  let broken: unknown;
  source.stream.once("error", (error) => {
    broken = error;
    meter.end();
  });
  source.stream.pipe(meter);
  try {
    const command = words(context, inputs, "push", { expected: source.length, restart: source.from === 0 });
    await runOnServer(context, inputs.server, object(inputs), "template", command, { stdin: meter, timeoutSeconds: inputs.fetchSeconds });
    return undefined;
  } catch (error) {
    source.stream.destroy();
    return broken ?? error;
  }
}
