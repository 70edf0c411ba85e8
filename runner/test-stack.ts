import { join } from "node:path";
import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder, stackFolder } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { tokenFingerprint } from "../providers/installation/index.ts";
import { loadInputs } from "../stacks/load.ts";
import { junitXml, writeWhole } from "./junit.ts";
import { liveProbe } from "./live-probe.ts";
import { stackCredentials, stackHosts } from "./pulumi.ts";
import { type CaseResult, environmentSuite } from "./suite.ts";
import { suiteStatus, summarize } from "./summary.ts";

/** The environment suite of a stack: a line per check, JUnit XML and a summary. Returns the exit status of the command. */
export async function testStack(opened: OpenStack): Promise<number> {
  const { stack } = opened;
  const { plan } = loadInputs(projectFolder, { stack });
  if (!plan) {
    throw new CommandError(
      exitStatus.input,
      `Stack ${stack} has no plan while its inputs have faults: see \`testbed check --stack ${stack}\`.`,
    );
  }
  const [hosts, credentials] = await Promise.all([stackHosts(opened), stackCredentials(opened)]);
  const results = await environmentSuite({
    expected: plan.machines,
    hosts,
    probe: liveProbe(plan, credentials),
    fingerprint: tokenFingerprint,
    dns: plan.driver.dns === "dnsmasq",
    onResult: (result) => process.stdout.write(resultLine(result)),
  });
  const file = join(stackFolder(stack), "junit", "environment.xml");
  writeWhole(file, junitXml("environment", results, { stack, site: plan.site, generation: plan.generation }));
  process.stdout.write(`\n${summarize(results)}`);
  return suiteStatus(results);
}

function resultLine(result: CaseResult): string {
  return `${result.verdict.padEnd(6)} ${result.host}: ${result.name} (${result.seconds.toFixed(1)} s)\n`;
}
