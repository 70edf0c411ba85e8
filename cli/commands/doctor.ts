import { join } from "node:path";
import type { Command } from "commander";
import { become } from "../child.ts";
import { projectFolder } from "../project.ts";
import { argvAtSite, isOutside, openStack, stackOption } from "../stack.ts";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .summary("look at the live driver and the BMCs, read-only")
    .description("Asks cobbler for its version, DNS for every machine, and each BMC for its power state. Changes nothing.")
    .option(...stackOption)
    .action(async (options: { stack?: string }) => {
      const opened = openStack(options.stack);
      const again = [process.execPath, ...process.execArgv, join(projectFolder, "cli/main.ts"), "doctor", "--stack", opened.stack];
      if (isOutside(opened.site)) become(argvAtSite(opened, again), opened.environment);
      const { examineSite } = await import("../../runner/doctor.ts");
      process.exitCode = await examineSite(opened);
    });
}
