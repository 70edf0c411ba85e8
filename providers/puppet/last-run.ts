import type { Context } from "../kernel/index.ts";
import { READ_DONE } from "./agent.ts";
import { type Node, runOnNode, STATE_FOLDERS } from "./node.ts";
import { parseReport, type RunReport } from "./report.ts";

/** What a machine says of its last puppet run. */
export interface LastRun {
  /** Which run of ours ended well last; empty when none has since the last one began. */
  done: string;
  /** The role that it was given; empty when none was. */
  role: string;
  /** Whoever started it; undefined where there is none, or none that can be read. */
  report: RunReport | undefined;
}

const READ_REPORT = `
for state in ${STATE_FOLDERS}; do
  [ ! -e "$state/last_run_report.yaml" ] || { cat "$state/last_run_report.yaml"; exit 0; }
done
`;

/** Which run ended well last, and the role. A machine that is being read by a refresh is asked once only. */
export async function roleAndRun(context: Context, node: Node): Promise<Pick<LastRun, "done" | "role">> {
  const lines = (await runOnNode(context, node, "puppet run", READ_DONE, [], { once: context.operation === "read" })).split("\n");
  const value = (key: string) =>
    lines
      .find((line) => line.startsWith(`${key} `))
      ?.slice(key.length + 1)
      .trim() ?? "";
  return { done: value("done"), role: value("role") };
}

/** The same with the report of the agent's last run. */
export async function lastRun(context: Context, node: Node): Promise<LastRun> {
  const report = await runOnNode(context, node, "puppet report", READ_REPORT, [], { once: context.operation === "read" });
  return { ...(await roleAndRun(context, node)), report: parseReport(report) };
}
