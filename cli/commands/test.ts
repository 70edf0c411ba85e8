import type { Command } from "commander";
import { goToSite, type OpenStack, openStack, stackOption, testbedArgv } from "../stack.ts";

export function addTest(program: Command): void {
  program
    .command("test")
    .summary("environment suite: prove machines, management server and stores")
    .description(
      "Proves what the last `up` made: machines over SSH (pinned host key, install token, profile, generation), by cobbler's view, DNS, " +
        "clock and puppet's last report; the management server by its ports and its release; stores by their marker and their export. " +
        "Changes nothing. Writes .testbed/<stack>/junit/environment.xml. Status 1: something differs; 3: something did not answer.",
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
