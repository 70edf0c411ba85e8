import type { Command } from "commander";
import { addedVariables, openStack, stackOption } from "../stack.ts";

export function addEnv(program: Command): void {
  program
    .command("env")
    .summary("print the stack's environment as shell commands")
    .description('Prints the stack\'s environment for a shell: eval "$(testbed env --stack kvm)"')
    .option(...stackOption)
    .option("--json", "print it as one JSON object")
    .action((options: { stack?: string; json?: boolean }) => {
      const variables = addedVariables(openStack(options.stack).site);
      process.stdout.write(options.json ? `${JSON.stringify(variables, undefined, 2)}\n` : shellExports(variables));
    });
}

/** Assignments that no value can break out of. */
export function shellExports(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}
