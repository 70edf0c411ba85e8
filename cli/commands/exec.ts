import type { Command } from "commander";
import { become } from "../child.ts";
import { argvAtSite, openStack, stackOption } from "../stack.ts";

export function addExec(program: Command): void {
  program
    .command("exec")
    .summary("run a command with the stack's environment, where it can see the site")
    .description(
      "Runs COMMAND with the stack's environment (pinned Node and Pulumi engine first on PATH, state backend, passphrase file, parallelism). " +
        "Where the site is an embedded lab, the command runs inside the lab's network and mount namespaces. Signals and the exit status are " +
        "the command's own. Example: testbed exec --stack kvm -- pulumi preview --stack kvm",
    )
    .option(...stackOption)
    .argument("<command...>", "the command and its arguments, after --")
    .passThroughOptions()
    .action((command: string[], options: { stack?: string }) => {
      const opened = openStack(options.stack);
      become(argvAtSite(opened, command), opened.environment);
    });
}
