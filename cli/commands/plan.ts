import type { Command } from "commander";
import { CommandError, exitStatus } from "../exit.ts";
import { projectFolder } from "../project.ts";
import { chosenStack, stackOption } from "../stack.ts";
import { table } from "../table.ts";

export function addPlan(program: Command): void {
  program
    .command("plan")
    .summary("print which machine gets what")
    .description(
      "Joins inventory, marvin configuration and stack file into the plan that `pulumi up` follows. Touches nothing and needs no lab.",
    )
    .option(...stackOption)
    .option("--json", "print the whole plan as JSON")
    .action(async (options: { stack?: string; json?: boolean }) => {
      const [{ loadInputs }, { renderFindings }] = await Promise.all([import("../../stacks/load.ts"), import("../../stacks/findings.ts")]);
      const stack = chosenStack(options.stack);
      const { findings, plan, external } = loadInputs(projectFolder, { stack });
      if (external) {
        const { site, managementServer } = external;
        process.stdout.write(
          options.json
            ? `${JSON.stringify(external, undefined, 2)}\n`
            : `stack ${stack}, site ${site}: nothing is installed; its management server ${managementServer.address}:${managementServer.port} runs already\n`,
        );
        return;
      }
      const errors = findings.filter((finding) => finding.severity === "error");
      if (!plan || errors.length > 0)
        throw new CommandError(exitStatus.input, `Stack ${stack} has no plan while its inputs have faults.\n${renderFindings(errors)}`);
      if (options.json) {
        process.stdout.write(`${JSON.stringify(plan, undefined, 2)}\n`);
        return;
      }
      process.stdout.write(`stack ${stack}, site ${plan.site}, generation ${plan.generation}\n`);
      const machines = plan.managementServer ? [...plan.machines, plan.managementServer] : plan.machines;
      const rows = machines.map((machine) => [machine.name, machine.address, machine.profile, machine.generation, machine.why]);
      process.stdout.write(table([["MACHINE", "ADDRESS", "PROFILE", "GENERATION", "WHY"], ...rows]));
      const stores = plan.stores.list.map((store) => [store.kind, `${store.server.address}:${store.path}`]);
      if (stores.length > 0) process.stdout.write(table([["STORE", "PLACE"], ...stores]));
    });
}
