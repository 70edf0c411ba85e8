/** Exit statuses of every command. */
export const exitStatus = {
  ok: 0,
  /** The product failed, or there is a difference where one was asked about. */
  product: 1,
  /** Wrong use or faulty input. */
  input: 2,
  infrastructure: 3,
  interrupted: 130,
} as const;

/** An end that was foreseen: shown as one message, without a stack trace. */
export class CommandError extends Error {
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "CommandError";
    this.status = status;
  }
}
