import { type Context, TestbedError, waitFor } from "../kernel/index.ts";
import { type Node, RUNNING_AGENT, runOnNode, STATE_FOLDERS } from "./node.ts";

/** What of a run of the agent is asked for. */
export interface AgentRun {
  certname: string;
  server: string;
  environment: string;
  /** Which run this is; a run of the same text that is still going on is waited for instead of started anew. */
  trigger: string;
  /** The machine itself ends the run after this time. */
  limitSeconds: number;
  /** How long a run that is going on is waited for. */
  waitSeconds: number;
}

export interface AgentEnd {
  status: number;
  /** It did not end by itself: the limit ended it. */
  limit: boolean;
  /** The end of what the agent said. */
  log: string;
  /** The report that this run wrote; empty when it wrote none. */
  report: string;
}

/** Where a machine keeps our runs: `trigger`, `log` and `status` of the last one, `done` with the trigger of the last good one. */
const FOLDER = "/var/lib/cloudstack-testbed/puppet-run";

/** How often a run is looked at. */
const LOOK_SECONDS = 0.25;

/** Bytes of the log that the error classes and the reader need. */
const LOG_BYTES = 20_000;

// The run goes on without this connection: it may restart the machine's network or SSH server, and take longer than `up` lives.
const START = `
set -u
folder=${FOLDER} certname=$1 server=$2 environment=$3 trigger=$4 limit=$5
command -v puppet >/dev/null || { echo "there is no puppet agent on this machine" >&2; exit 69; }
mkdir -p "$folder"
pid=$(cat "$folder/pid" 2>/dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
  [ "$(cat "$folder/trigger")" = "$trigger" ] && echo attached || echo "the run of an earlier up, process $pid"
  exit 0
fi
other=$(
${RUNNING_AGENT})
[ -z "$other" ] || { echo "the agent runs as process $other"; exit 0; }
rm -f "$folder/status" "$folder/limit" "$folder/done"
for state in ${STATE_FOLDERS}; do sha256sum "$state/last_run_report.yaml" 2>/dev/null; done >"$folder/reports"
printf '%s\\n' "$trigger" >"$folder/trigger"
: >"$folder/log"
setsid sh -c '
  folder=$1 limit=$5
  trap : TERM
  puppet agent --test --detailed-exitcodes --waitforcert 0 --certname "$2" --server "$3" --environment "$4" >"$folder/log" 2>&1 &
  agent=$!
  (
    seconds=0
    while [ $seconds -lt "$limit" ] && kill -0 $agent 2>/dev/null; do sleep 1; seconds=$((seconds + 1)); done
    kill -0 $agent 2>/dev/null || exit 0
    : >"$folder/limit"
    trap "" TERM
    kill -TERM 0
    sleep 10
    kill -KILL $agent
  ) >/dev/null 2>&1 &
  wait $agent
  status=$?
  # The signal at the limit ends the first wait before the agent is gone.
  while kill -0 $agent 2>/dev/null; do wait $agent; status=$?; done
  echo $status >"$folder/.status"
  mv "$folder/.status" "$folder/status"
' run "$folder" "$certname" "$server" "$environment" "$limit" </dev/null >/dev/null 2>&1 &
echo $! >"$folder/pid"
echo started
`;

const LOOK = `
folder=${FOLDER}
ended() { [ -e "$folder/status" ] && echo "ended $(cat "$folder/status") $(ls "$folder/limit" 2>/dev/null)"; }
# Asked for its end once more: it may have come between the two questions.
ended || { kill -0 "$(cat "$folder/pid")" 2>/dev/null && echo running; } || ended || echo lost
tail -n 1 "$folder/log" 2>/dev/null | tr -d '\\033' | sed 's/\\[[0-9;]*m//g'
`;

const READ_LOG = `tail -c ${LOG_BYTES} ${FOLDER}/log | tr -d '\\033' | sed 's/\\[[0-9;]*m//g'`;

// A report of an earlier run says nothing of this one. Told apart by content: busybox compares times by the second.
const READ_REPORT = `
for state in ${STATE_FOLDERS}; do
  sum=$(sha256sum "$state/last_run_report.yaml" 2>/dev/null) || continue
  grep -qxF "$sum" ${FOLDER}/reports || { cat "$state/last_run_report.yaml"; exit 0; }
done
`;

const KILL = `pid=$(cat ${FOLDER}/pid 2>/dev/null) && kill -KILL -- "-$pid" 2>/dev/null; exit 0`;

/** Writes down that the run of this trigger is done, for a run of `up` whose state was lost. */
export const DONE = `printf '%s\\n' "$1" >${FOLDER}/done`;

/** Prints the trigger of the last good run, and the role that the machine was given. */
export const READ_DONE = `
echo "done $(cat ${FOLDER}/done 2>/dev/null)"
sed -n 's/^testbed_role=/role /p' /etc/facter/facts.d/testbed.txt 2>/dev/null
exit 0
`;

/**
 * Runs the agent once and waits for its end, showing its last line as the phase. A run that somebody else started, a daemon or an
 * operator, is waited for first; the run of an `up` that was cut off goes on as ours when it is for the same.
 */
export async function runAgent(context: Context, node: Node, run: AgentRun): Promise<AgentEnd> {
  const words = [run.certname, run.server, run.environment, run.trigger, String(run.limitSeconds)];
  const system = `host ${node.address}`;
  const options = { timeoutSeconds: run.waitSeconds, everySeconds: LOOK_SECONDS, object: "puppet agent", system };
  await waitFor("the run of the agent that is going on to end", context, options, async () => {
    const said = (await runOnNode(context, node, "puppet agent", START, words)).trim();
    if (said === "started" || said === "attached") return { done: undefined };
    context.phase("waiting for a run of the agent that is going on");
    return { seen: said };
  });
  const end = await waitForEnd(context, node, run.limitSeconds);
  const report = await runOnNode(context, node, "puppet agent", READ_REPORT, []);
  return { ...end, log: await runOnNode(context, node, "puppet agent", READ_LOG, []), report };
}

async function waitForEnd(context: Context, node: Node, limitSeconds: number): Promise<Pick<AgentEnd, "status" | "limit">> {
  let shown = "";
  const system = `host ${node.address}`;
  const options = { timeoutSeconds: limitSeconds + 30, everySeconds: LOOK_SECONDS, object: "puppet agent", system };
  try {
    return await waitFor<Pick<AgentEnd, "status" | "limit">>("the run of the agent to end", context, options, async () => {
      const [state = "", last = ""] = (await runOnNode(context, node, "puppet agent", LOOK, [])).split("\n");
      const [, status, limit] = /^ended (\d+) (.*)$/.exec(state) ?? [];
      if (status !== undefined) return { done: { status: Number(status), limit: limit !== "" } };
      if (state !== "running") {
        throw new TestbedError({
          system,
          object: "puppet agent",
          kind: "refused",
          code: "run-lost",
          message: `its run went away without an end; the last it said: ${last || "nothing"}`,
          remedy: "the machine was started anew, or the process was killed: run `pulumi up` again",
        });
      }
      if (last !== "" && last !== shown) context.phase(`puppet: ${(shown = last)}`);
      return { seen: last || "no output" };
    });
  } catch (error) {
    // The machine's own limit did not end it: the process group goes with everything that the run started.
    if (error instanceof TestbedError && error.kind === "timeout" && !context.signal.aborted)
      await runOnNode(context, node, "puppet agent", KILL, []);
    throw error;
  }
}
