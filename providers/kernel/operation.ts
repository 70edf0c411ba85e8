import { QueueMeter, queueing } from "./concurrency.ts";
import { deadline } from "./deadline.ts";
import type { Context, Definition, Operation } from "./definition.ts";
import { errorText, TestbedError } from "./errors.ts";
import { type JournalEntry, writeJournal } from "./journal.ts";
import type { Mark } from "./mark.ts";
import { redact } from "./redact.ts";
import { credential, settings } from "./settings.ts";
import { shutdown, whileRunning } from "./shutdown.ts";
import { showStatus } from "./status.ts";

type Properties = Record<string, unknown>;

export interface Outcome<T> {
  result?: T;
  /** Present when the work failed; its text is redacted. */
  failure?: Error;
  /** Whether a remote write had begun when it failed. */
  touched: boolean;
}

function parseMark(text: unknown): Mark {
  const [project, stack, owner] = String(text).split("/");
  if (!project || !stack || !owner) throw new Error(`The resource has no owner (__owner is ${JSON.stringify(text)}): its state is damaged`);
  return { project, stack, owner };
}

/** Runs one operation of one resource: deadline, signals, live row, journal, redaction. Never throws for a failure of the work. */
export async function runOperation<T>(
  definition: Definition,
  operation: Operation,
  properties: Properties,
  work: (context: Context) => Promise<T>,
): Promise<Outcome<T>> {
  const known = await settings();
  const urn = String(properties.__urn);
  const mark = parseMark(properties.__owner);
  const name = urn.split("::").at(-1) ?? urn;
  const seconds = known.limits[definition.type] ?? definition.deadlineSeconds;
  const meter = new QueueMeter();
  const limit = deadline(seconds, meter);
  const signal = AbortSignal.any([limit.signal, shutdown]);
  const started = performance.now();
  let phase = "started";
  let touched = false;

  const journal = (entry: Partial<JournalEntry> & Pick<JournalEntry, "event">) =>
    writeJournal(mark.stack, { time: new Date().toISOString(), urn, type: definition.type, name, operation, ...entry });

  const context: Context = {
    name,
    urn,
    operation,
    signal,
    mark,
    phase(text) {
      phase = text;
      showStatus(urn, text);
      journal({ event: "phase", phase: text });
    },
    touched() {
      touched = true;
    },
    credential: (wanted) => credential(known, wanted),
    warn(text) {
      showStatus(urn, text, "warning");
      journal({ event: "phase", phase: `warning: ${text}` });
    },
  };

  const end = (verdict: JournalEntry["verdict"], error?: string) => {
    const total = (performance.now() - started) / 1000;
    journal({
      event: "end",
      verdict,
      seconds: round(total - meter.seconds),
      queuedSeconds: round(meter.seconds),
      ...(error ? { error } : {}),
    });
  };

  return whileRunning(async () => {
    journal({ event: "start" });
    try {
      signal.throwIfAborted();
      const result = await queueing.run(meter, () =>
        Promise.race([work(context), abortion(signal, definition, name, seconds, () => phase)]),
      );
      end("ok");
      return { result, touched };
    } catch (thrown) {
      const text = redact(errorText(thrown));
      end(shutdown.aborted ? "interrupted" : "failed", text);
      return { failure: new OperationFailure(`${definition.type} ${name}`, text), touched };
    } finally {
      limit.end();
    }
  });
}

/** For the engine, which shows the message in the resource's row. The SDK also prints `${error}: ${error.stack}` of deletes and reads. */
class OperationFailure extends Error {
  readonly #object: string;

  constructor(object: string, message: string) {
    super(message);
    this.#object = object;
    this.stack = "failed, as its row says";
  }

  override toString(): string {
    return this.#object;
  }
}

/** Rejects when the signal aborts, after a moment in which the work itself may give the better error. */
function abortion(signal: AbortSignal, definition: Definition, name: string, seconds: number, phase: () => string): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => {
      const interrupted = shutdown.aborted;
      setTimeout(
        () =>
          reject(
            new TestbedError({
              system: definition.type,
              object: name,
              kind: "timeout",
              message: interrupted ? `interrupted in phase "${phase()}"` : `not finished after ${seconds} s; last phase: ${phase()}`,
              remedy: interrupted
                ? "run `pulumi up` again: it goes on from what is there"
                : `raise limits.operations["${definition.type}"] in the stack configuration if that is too short`,
            }),
          ),
        1500,
      ).unref();
    };
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
