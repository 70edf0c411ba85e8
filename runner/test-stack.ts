import { join } from "node:path";
import { capture } from "../cli/child.ts";
import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder, stackFolder } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { loadInputs } from "../stacks/load.ts";
import { junitXml, writeWhole } from "./junit.ts";
import { liveProbe, tokenFingerprint } from "./live-probe.ts";
import { environmentSuite, type ProvedHost } from "./suite.ts";
import { suiteStatus, summarize } from "./summary.ts";

/** The environment suite of a stack: results as lines, JUnit XML and a summary. Returns the exit status of the command. */
export async function testStack(opened: OpenStack): Promise<number> {
  const { stack } = opened;
  const { plan } = loadInputs(projectFolder, { stack });
  if (!plan)
    throw new CommandError(
      exitStatus.input,
      `Stack ${stack} has no plan while its inputs have faults: see \`testbed check --stack ${stack}\`.`,
    );
  const [outputs, credentials] = [await stackOutputs(opened), await stackCredentials(opened)];
  const probe = liveProbe(plan, credentials);
  try {
    const results = await environmentSuite({
      expected: plan.machines,
      hosts: outputs.hosts ?? [],
      probe,
      fingerprint: tokenFingerprint,
      dns: plan.driver.dns === "dnsmasq",
      onResult: (result) =>
        process.stdout.write(`${result.verdict.padEnd(6)} ${result.host}: ${result.name} (${result.seconds.toFixed(1)} s)\n`),
    });
    const file = join(stackFolder(stack), "junit", "environment.xml");
    writeWhole(file, junitXml("environment", results, { stack, site: plan.site, generation: plan.generation }));
    process.stdout.write(`\n${summarize(results)}results: ${file}\n`);
    return suiteStatus(results);
  } finally {
    probe.close();
  }
}

async function stackOutputs(opened: OpenStack): Promise<{ hosts?: ProvedHost[] }> {
  return JSON.parse(await pulumi(opened, ["stack", "output", "--json"])) as { hosts?: ProvedHost[] };
}

async function stackCredentials(opened: OpenStack): Promise<Record<string, Record<string, string>>> {
  return JSON.parse(await pulumi(opened, ["config", "get", "cloudstack-testbed:credentials"])) as Record<string, Record<string, string>>;
}

/** What a pulumi command prints. Its own message on standard error has been shown when it fails. */
export async function pulumi(opened: OpenStack, words: readonly string[]): Promise<string> {
  const argv = ["pulumi", ...words, "--stack", opened.stack, "--non-interactive"];
  const { status, output } = await capture(argv, opened.environment, projectFolder);
  if (status === 0) return output;
  throw new CommandError(
    exitStatus.infrastructure,
    `\`${argv.join(" ")}\` ended with status ${status}; without a state there is nothing to test: run \`testbed run\` first.`,
  );
}
