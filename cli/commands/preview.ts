import type { Command } from "commander";
import { become } from "../child.ts";
import { openStack, stackOption } from "../stack.ts";

export function addPreview(program: Command): void {
  program
    .command("preview")
    .summary("show what `up` would change")
    .description("`pulumi preview` of the stack with its environment. It needs no running lab: the program does no remote I/O.")
    .option(...stackOption)
    .argument("[arguments...]", "more arguments for pulumi preview, after --")
    .action((more: string[], options: { stack?: string }) => {
      const { stack, environment } = openStack(options.stack);
      become(["pulumi", "preview", "--stack", stack, ...more], environment);
    });
}
