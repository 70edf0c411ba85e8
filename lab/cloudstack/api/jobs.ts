import type { Commands } from "../command.ts";
import { malformed } from "../errors.ts";
import { jobReply } from "../jobs.ts";

export const jobCommands: Commands = {
  queryAsyncJobResult: {
    forUsers: true,
    run({ cloud, parameters }) {
      const job = cloud.database.table("job").find((one) => one.id === parameters.jobid);
      if (!job) throw malformed(`Unable to find a job by id ${parameters.jobid}`);
      return jobReply(cloud.database, job);
    },
  },
};
