import type { Command } from "commander";
import { CommandError, exitStatus } from "../exit.ts";
import { projectFolder } from "../project.ts";
import { chosenStack, stackOption } from "../stack.ts";

export function addMarvinConfig(program: Command): void {
  program
    .command("marvin-config")
    .summary("print the effective marvin configuration, as the tests get it")
    .description(
      "The stack's marvin configuration with real addresses instead of the site's names, and the administrator's keys by reference. " +
        "Secrets stay placeholders. Touches nothing and needs no lab.",
    )
    .option(...stackOption)
    .action(async (options: { stack?: string }) => {
      const [{ loadInputs }, { renderFindings }] = await Promise.all([import("../../stacks/load.ts"), import("../../stacks/findings.ts")]);
      const stack = chosenStack(options.stack);
      const { findings, marvin } = loadInputs(projectFolder, { stack });
      const errors = findings.filter((finding) => finding.severity === "error");
      if (!marvin)
        throw new CommandError(
          exitStatus.input,
          `Stack ${stack} has no configuration while its inputs have faults.\n${renderFindings(errors)}`,
        );
      process.stdout.write(`${JSON.stringify(marvin, undefined, 2)}\n`);
    });
}
