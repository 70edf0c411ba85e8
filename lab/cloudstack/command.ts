import type { Cloud } from "./cloud.ts";
import type { Row } from "./database.ts";
import type { Reply } from "./envelope.ts";
import { type Parameters, pageOf } from "./parameters.ts";

/** Who calls. */
export interface Caller {
  account: Row;
  user: Row;
}

export interface Request {
  cloud: Cloud;
  caller: Caller;
  parameters: Parameters;
  /** The job that the command runs in. */
  job?: Row;
}

/** What a job of a command shows. */
export interface JobDescription {
  class: string;
  /** The type of the object that it works on; only some jobs name one. */
  instanceType?: string;
  /** Whether that object's id stands beside it (default: true). */
  namesInstance?: false;
  /** The parameter that names the object (default: `id`). */
  instance?: string;
  /** How long it runs (default: 0.7). */
  seconds?: number;
}

/** What the emulator does for one command. */
export interface Command {
  /** Whether plain users may call it. */
  forUsers?: true;
  /** Only commands that answer with a job have it. */
  job?: JobDescription;
  /** Makes the object of a job before the job runs: its id is in the answer, and is valid at once. */
  create?(request: Request): Row;
  /** The content of the envelope, or of the job's result. */
  run(request: Request, created?: Row): Reply | Promise<Reply>;
}

export type Commands = Record<string, Command>;

/** A list reply: empty when there is nothing, `count` alone beyond the last page (cloudstack-observed facts 1). */
export function listReply({ cloud, parameters }: Request, key: string, rows: readonly unknown[]): Reply {
  const page = pageOf(rows, parameters, Number(cloud.loaded("default.page.size")));
  if (rows.length === 0) return {};
  return { count: rows.length, ...(page.length > 0 ? { [key]: page } : {}) };
}
