import type { Cloud } from "./cloud.ts";
import type { Caller, JobDescription } from "./command.ts";
import type { Database, Row } from "./database.ts";
import { timeText } from "./database.ts";
import type { Reply } from "./envelope.ts";
import { ApiFault } from "./errors.ts";

/** How long a job runs at least: the first poll, sent at once, meets it running (cloudstack-observed facts 21). */
const JOB_SECONDS = 0.7;
/** By its number in the database, the server that runs the job. */
const SERVER_NUMBER = 3281355014145;

/** Starts a job; what it does happens at its end. */
export function startJob(
  cloud: Cloud,
  caller: Caller,
  job: JobDescription,
  instance: string | undefined,
  work: () => Reply | Promise<Reply>,
): Row {
  const row = cloud.database.insert("job", {
    ...{ class: job.class, status: 0, created: timeText(), accountId: caller.account.id, userId: caller.user.id },
    ...(job.instanceType ? { instanceType: job.instanceType } : {}),
    ...(job.instanceType && instance && job.namesInstance !== false ? { instanceId: instance } : {}),
  });
  cloud.after(job.seconds ?? JOB_SECONDS, async () => {
    cloud.database.update(row, { ...(await outcome(work)), completed: timeText() });
    cloud.database.save();
  });
  return row;
}

async function outcome(work: () => Reply | Promise<Reply>): Promise<Record<string, unknown>> {
  try {
    return { status: 1, result: await work() };
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    return { status: 2, code: error.errorcode, result: { errorcode: error.errorcode, errortext: error.message } };
  }
}

/** Jobs that a server was running when it ended are failed by the next one. */
export function failInterruptedJobs(database: Database): void {
  const errortext = "job cancelled because of management server restart or shutdown";
  for (const job of database.table("job"))
    if (job.status === 0) database.update(job, { status: 2, code: 530, result: { errorcode: 530, errortext }, completed: timeText() });
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
    ...(job.instanceType ? { jobinstancetype: job.instanceType, ...(job.instanceId ? { jobinstanceid: job.instanceId } : {}) } : {}),
    ...(done ? {} : { managementserverid: SERVER_NUMBER }),
    created: job.created,
    ...(done ? { completed: job.completed } : {}),
    jobid: job.id,
  };
}
