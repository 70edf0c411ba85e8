/** An error of XAPI: its code and the code's parameters. */
export class Failure extends Error {
  readonly code: string;
  readonly parameters: readonly string[];
  constructor(code: string, ...parameters: string[]) {
    super([code, ...parameters].join(" "));
    this.code = code;
    this.parameters = parameters;
  }
}
