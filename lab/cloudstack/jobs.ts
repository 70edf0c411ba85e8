import type { Caller, Command } from "./command.ts";
import type { Database, Row } from "./database.ts";
import { timeText } from "./database.ts";
import type { Reply } from "./envelope.ts";
import { ApiFault } from "./errors.ts";

/** How long a job runs at least: the first poll, sent at once, meets it running (cloudstack-observed facts 21). */
const JOB_MILLISECONDS = 700;
/** By its number in the database, the server that runs the job. */
const SERVER_NUMBER = 3281355014145;

/** Starts a job; what it does happens at its end. */
export function startJob(
  database: Database,
  caller: Caller,
  job: NonNullable<Command["job"]>,
  instance: string | undefined,
  work: () => Reply,
): Row {
  const row = database.insert("job", {
    ...{ class: job.class, status: 0, created: timeText(), accountId: caller.account.id, userId: caller.user.id },
    ...(job.instanceType && instance ? { instanceType: job.instanceType, instanceId: instance } : {}),
  });
  const timer = setTimeout(() => {
    database.update(row, { ...outcome(work), completed: timeText() });
    database.save();
  }, JOB_MILLISECONDS);
  timer.unref();
  return row;
}

function outcome(work: () => Reply): Record<string, unknown> {
  try {
    return { status: 1, result: work() };
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    return { status: 2, code: error.errorcode, result: { errorcode: error.errorcode, errortext: error.message } };
  }
}

/** A job as `queryAsyncJobResult` shows it. */
export function jobReply(database: Database, job: Row): Reply {
  const account = database.find(String(job.accountId));
  const done = job.status !== 0;
  return {
    accountid: job.accountId,
    account: account?.name,
    domainid: account?.domainId,
    domainpath: "ROOT",
    userid: job.userId,
    cmd: job.class,
    jobstatus: job.status,
    jobprocstatus: 0,
    jobresultcode: job.code ?? 0,
    ...(done ? { jobresulttype: "object", jobresult: job.result } : {}),
    ...(job.instanceType ? { jobinstancetype: job.instanceType, jobinstanceid: job.instanceId } : {}),
    ...(done ? {} : { managementserverid: SERVER_NUMBER }),
    created: job.created,
    ...(done ? { completed: job.completed } : {}),
    jobid: job.id,
  };
}
