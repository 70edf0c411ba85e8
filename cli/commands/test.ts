import { join } from "node:path";
import type { Command } from "commander";
import { become } from "../child.ts";
import { projectFolder } from "../project.ts";
import { argvAtSite, isOutside, type OpenStack, openStack, stackOption } from "../stack.ts";

export function addTest(program: Command): void {
  program
    .command("test")
    .summary("environment suite: prove every host of the stack")
    .description(
      "Proves what the last `up` made: over SSH (pinned host key, install token, profile, generation), by cobbler's view and by DNS. " +
        "Changes nothing. Writes .testbed/<stack>/junit/environment.xml. Status 1: a host differs; 3: something did not answer.",
    )
    .option(...stackOption)
    .action(async (options: { stack?: string }) => {
      const opened = openStack(options.stack);
      if (isOutside(opened.site)) become(testArgv(opened), opened.environment);
      const { testStack } = await import("../../runner/test-stack.ts");
      process.exitCode = await testStack(opened);
    });
}

/** The command line that runs the suite where the site can be seen. */
export function testArgv(opened: OpenStack): string[] {
  return argvAtSite(opened, [process.execPath, ...process.execArgv, join(projectFolder, "cli/main.ts"), "test", "--stack", opened.stack]);
}
