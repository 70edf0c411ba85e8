import type { Command } from "commander";
import { CommandError, exitStatus } from "../exit.ts";
import { goToSite, openStack, stackOption } from "../stack.ts";

export function addHealth(program: Command): void {
  program
    .command("health")
    .summary("the gate alone: is every zone healthy, and if not, why")
    .description(
      "Looks at every zone of the stack's cloud: hosts, storage pools, system VMs with their agents, built-in template. Changes nothing. " +
        "Status 3: something is red; each verdict has its remedy.",
    )
    .option(...stackOption)
    .option("--json", "print the verdicts as JSON")
    .option("--wait <seconds>", "wait that long for what may heal by itself", "0")
    .action(async (options: { stack?: string; json?: boolean; wait: string }) => {
      const wait = Number(options.wait);
      if (!Number.isFinite(wait) || wait < 0) throw new CommandError(exitStatus.input, `--wait ${options.wait} is no number of seconds.`);
      const opened = openStack(options.stack);
      goToSite(opened, ["health", "--wait", options.wait, ...(options.json ? ["--json"] : [])]);
      const { checkHealth } = await import("../../runner/health.ts");
      process.exitCode = await checkHealth(opened, { json: options.json ?? false, wait });
    });
}
