export { coalesce, forgetSession, limiter, queueing, session } from "./concurrency.ts";
export { allDefinitions, type Context, type Definition, defineResource, type Observed, type Operation } from "./definition.ts";
export { errorText, type FailureKind, TestbedError } from "./errors.ts";
export {
  backendAddress,
  changedFor,
  findMark,
  findMarks,
  hasMark,
  joinedWith,
  keptFor,
  type Mark,
  markText,
  ownerId,
  type Standing,
  sameMark,
  stackNames,
  standing,
  withMark,
  withoutMark,
} from "./mark.ts";
export { redact, rememberSecrets } from "./redact.ts";
export { shared, unlessAborted, whenAllAborted } from "./shared.ts";
export { type Probe, retry, type WaitOptions, waitFor } from "./waits.ts";
