import type { Command } from "commander";
import { goToSite, type OpenStack, openStack, stackOption, testbedArgv } from "../stack.ts";

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
      goToSite(opened, ["test"]);
      const { testStack } = await import("../../runner/test-stack.ts");
      process.exitCode = await testStack(opened);
    });
}

/** The command line that runs the suite where the site can be seen. */
export function testArgv(opened: OpenStack): string[] {
  return testbedArgv(opened, ["test", "--stack", opened.stack]);
}
