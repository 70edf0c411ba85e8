import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Ended, runLogged } from "../cli/child.ts";
import { check } from "../cli/commands/check.ts";
import { testArgv } from "../cli/commands/test.ts";
import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder, stackFolder } from "../cli/project.ts";
import { argvAtSite, type OpenStack, testbedArgv } from "../cli/stack.ts";
import { junitXml, writeWhole } from "./junit.ts";
import { ensureStack } from "./pulumi.ts";
import { externalText, hasGate } from "./stack-plan.ts";

/** What of the cloud's health may heal by itself, agents after a restart of the server above all, may take this long. */
const HEALTH_SECONDS = 60;

/** Check → up → health → environment suite → where to look. Returns the exit status of the command. */
export async function runStack(opened: OpenStack): Promise<number> {
  const began = performance.now();
  const files = runFiles(opened.stack);
  for (const old of [files.junit, files.log]) rmSync(old, { force: true }); // what an earlier run left must not pass for this one's
  const status = await stages(opened, files).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    return redWithoutTests(opened, files, error.message, error.status);
  });
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stdout.write(`\nstack ${opened.stack}: ${verdictText(status)} after ${seconds} s\n`);
  for (const [what, file] of Object.entries(files)) if (existsSync(file)) process.stdout.write(`  ${what.padEnd(8)}${file}\n`);
  return status;
}

/** What a run leaves, by what it is. */
function runFiles(stack: string) {
  const folder = stackFolder(stack);
  return { log: join(folder, "up.log"), journal: join(folder, "journal.jsonl"), junit: join(folder, "junit", "environment.xml") };
}

async function stages(opened: OpenStack, files: ReturnType<typeof runFiles>): Promise<number> {
  if ((await check([{ stack: opened.stack }], false)) !== exitStatus.ok) return exitStatus.input;
  await ensureStack(opened);
  const up = await runPulumiUp(opened, files.log);
  if (up.interrupted) return exitStatus.interrupted;
  if (up.status !== 0) {
    const reason = `pulumi up ended with status ${up.status}, so nothing was tested; \`testbed run\` again touches only what failed`;
    return redWithoutTests(opened, files, `${reason}\n${lastLines(files.log, 40)}`, exitStatus.infrastructure);
  }
  const folder = stackFolder(opened.stack);
  if (hasGate(opened.stack)) {
    const log = join(folder, "health.log");
    const argv = testbedArgv(opened, ["health", "--stack", opened.stack, "--wait", `${HEALTH_SECONDS}`]);
    const health = await runLogged(argv, opened.environment, projectFolder, log);
    if (health.interrupted) return exitStatus.interrupted;
    if (health.status !== exitStatus.ok)
      return redWithoutTests(
        opened,
        files,
        `the cloud is not healthy, so nothing was tested\n${lastLines(log, 40)}`,
        exitStatus.infrastructure,
      );
  }
  const external = externalText(opened.stack);
  if (external !== undefined) {
    process.stdout.write(`\nnothing to prove: ${external}\n`);
    return exitStatus.ok;
  }
  const suite = await runLogged(testArgv(opened), opened.environment, projectFolder, join(folder, "test.log"));
  return suite.interrupted ? exitStatus.interrupted : suite.status;
}

/** Before a host could be tested: the results hold the reason, and no test. */
function redWithoutTests(opened: OpenStack, files: ReturnType<typeof runFiles>, message: string, status: number): number {
  const result = { host: opened.stack, name: "the environment is up", verdict: "error", seconds: 0, message } as const;
  writeWhole(files.junit, junitXml("environment", [result], { stack: opened.stack, site: opened.site.site }));
  process.stderr.write(`testbed: ${message.split("\n")[0]}\n`);
  return status;
}

function runPulumiUp(opened: OpenStack, log: string): Promise<Ended> {
  const argv = argvAtSite(
    opened,
    ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--suppress-outputs", "--stack", opened.stack],
    projectFolder,
  );
  return runLogged(argv, opened.environment, projectFolder, log);
}

function verdictText(status: number): string {
  switch (status) {
    case exitStatus.ok:
      return "everything is proved";
    case exitStatus.product:
      return "something is not what it should be";
    case exitStatus.input:
      return "the inputs have faults; nothing was touched";
    case exitStatus.interrupted:
      return "interrupted; the next run goes on where this one stopped";
    default:
      return "infrastructure failure";
  }
}

function lastLines(file: string, count: number): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-count).join("\n");
}
