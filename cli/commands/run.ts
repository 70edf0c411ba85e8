import type { Command } from "commander";
import { openStack, stackOption } from "../stack.ts";

export function addRun(program: Command): void {
  program
    .command("run")
    .summary("check, up, environment suite, summary")
    .description(
      "Checks the inputs, converges the stack with `pulumi up`, proves every host, and says where to look. Output of `up` is kept in " +
        ".testbed/<stack>/up.log. Run again, it does what is still missing, and nothing more.",
    )
    .option(...stackOption)
    .action(async (options: { stack?: string }) => {
      const { runStack } = await import("../../runner/run-stack.ts");
      process.exitCode = await runStack(openStack(options.stack));
    });
}
