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
}

/** What the emulator does for one command. */
export interface Command {
  /** Whether plain users may call it. */
  forUsers?: true;
  /** Class name and object type that its jobs show; only commands that answer with a job have it. */
  job?: { class: string; instanceType?: string };
  run(request: Request): Reply;
}

export type Commands = Record<string, Command>;

/** A list reply: empty when there is nothing, `count` alone beyond the last page (cloudstack-observed facts 1). */
export function listReply({ cloud, parameters }: Request, key: string, rows: readonly unknown[]): Reply {
  const page = pageOf(rows, parameters, Number(cloud.loaded("default.page.size")));
  if (rows.length === 0) return {};
  return { count: rows.length, ...(page.length > 0 ? { [key]: page } : {}) };
}
