/** What went wrong, as a caller must treat it. Only `unreachable` is worth another try. */
export type FailureKind = "refused" | "unreachable" | "timeout" | "conflict" | "invalid";

export interface FailureFields {
  /** The remote system: "cobbler http://…", "BMC 10.91.1.11". */
  system: string;
  /** The object concerned: "system h11". */
  object: string;
  kind: FailureKind;
  /** The remote system's own code, as data. Decisions look at it, never at the message. */
  code?: string;
  /** What was expected and what was seen. */
  message: string;
  /** What the reader can do about it. */
  remedy?: string;
  cause?: unknown;
}

/** The one error that providers throw: it names the object, the system, what was seen and what to do. */
export class TestbedError extends Error {
  readonly system: string;
  readonly object: string;
  readonly kind: FailureKind;
  readonly code: string | undefined;
  readonly remedy: string | undefined;

  constructor(fields: FailureFields) {
    super(`${fields.object} on ${fields.system}: ${fields.message}${fields.remedy ? ` — ${fields.remedy}` : ""}`, { cause: fields.cause });
    this.name = "TestbedError";
    this.system = fields.system;
    this.object = fields.object;
    this.kind = fields.kind;
    this.code = fields.code;
    this.remedy = fields.remedy;
  }
}

/** The text of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
