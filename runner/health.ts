import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { Cloud, lookAtCloud, serverSchema, type ZoneExpectation, type ZoneHealth } from "../providers/cloudstack/index.ts";
import { type Context, TestbedError, waitFor } from "../providers/kernel/index.ts";
import { type Loaded, loadInputs } from "../stacks/load.ts";
import { remedyOf } from "./health-remedies.ts";
import { stackZones } from "./pulumi.ts";
import { atSite } from "./site-context.ts";

export interface HealthOptions {
  json: boolean;
  /** Seconds that a state which heals by itself may take. */
  wait: number;
}

/** What is wrong with a zone, and what to do about it. */
export interface Verdict {
  what: string;
  /** Whether time may heal it. */
  heals: boolean;
  remedy: string;
}

export interface ZoneVerdict {
  zone: string;
  id: string;
  healthy: boolean;
  summary: string;
  verdicts: Verdict[];
}

const SECONDS_BETWEEN = 2;

/** The gate alone: every zone, each verdict with its remedy. Changes nothing. Returns the exit status of the command. */
export async function checkHealth(opened: OpenStack, options: HealthOptions): Promise<number> {
  const { stack } = opened;
  const { address, ports, credential, zones } = gateOf(stack, loadInputs(projectFolder, { stack }));
  const seen = await atSite(opened, async (context) => {
    const expected = expectations(zones, await stackZones(opened));
    const cloud = await Cloud.of(context, serverSchema.parse({ address, ports, credential }));
    return look(context, cloud, expected, options.wait);
  });
  const verdicts = seen.map(verdictOf);
  const healthy = verdicts.every((one) => one.healthy);
  process.stdout.write(options.json ? `${JSON.stringify({ stack, healthy, zones: verdicts }, undefined, 2)}\n` : report(verdicts));
  return healthy ? exitStatus.ok : exitStatus.infrastructure;
}

/** The server and the zones that must be healthy. */
function gateOf(stack: string, { plan, external }: Loaded) {
  const planned = plan ?? external;
  const server = plan?.managementServer ?? external?.managementServer;
  if (!planned || !server)
    throw new CommandError(
      exitStatus.input,
      planned
        ? `Stack ${stack} has no management server, so there is no cloud to look at.`
        : `Stack ${stack} has no plan while its inputs have faults: see \`testbed check --stack ${stack}\`.`,
    );
  const { ports, credential } = external?.managementServer ?? {};
  return { address: server.address, ports, credential, zones: planned.cloud.zones.filter((zone) => zone.enabled).map((zone) => zone.name) };
}

/** What the last `up` made is declared; before there was one, every host and pool counts. */
function expectations(zones: readonly string[], made: readonly ZoneExpectation[]): ZoneExpectation[] {
  return zones.map((name) => {
    const { hosts = [], pools = [] } = made.find((one) => one.name === name) ?? {};
    return { name, hosts, pools };
  });
}

/** Once, or until nothing is left that time may heal. */
async function look(context: Context, cloud: Cloud, expected: readonly ZoneExpectation[], wait: number): Promise<ZoneHealth[]> {
  let last: ZoneHealth[] = [];
  const options = { timeoutSeconds: wait, everySeconds: SECONDS_BETWEEN, object: "cloud", system: cloud.client.system };
  try {
    return await waitFor<ZoneHealth[]>("the cloud to be healthy", context, options, async () => {
      last = await lookAtCloud(cloud, expected);
      return last.every(({ faults }) => faults.length === 0 || faults.some((one) => one.final)) ? { done: last } : { seen: "faults" };
    });
  } catch (error) {
    if (!(error instanceof TestbedError) || error.kind !== "timeout") throw error;
    return last;
  }
}

export function verdictOf({ zone, id, faults, summary }: ZoneHealth): ZoneVerdict {
  const verdicts = faults.map(({ text, final }) => ({ what: text, heals: !final, remedy: remedyOf(text) }));
  return { zone, id, healthy: faults.length === 0, summary, verdicts };
}

/** A line per zone, and below it what is wrong. */
export function report(zones: readonly ZoneVerdict[]): string {
  return zones
    .map(({ zone, healthy, summary, verdicts }) =>
      [
        `zone ${zone}: ${healthy ? `healthy, ${summary}` : "red"}`,
        ...verdicts.flatMap(({ what, heals, remedy }) => [`  ${what}${heals ? " (may heal by itself)" : ""}`, `    remedy: ${remedy}`]),
        "",
      ].join("\n"),
    )
    .join("");
}
