import { Command, CommanderError } from "commander";
import { addCheck } from "./commands/check.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDown } from "./commands/down.ts";
import { addEnv } from "./commands/env.ts";
import { addExec } from "./commands/exec.ts";
import { addLab } from "./commands/lab.ts";
import { addLeftovers } from "./commands/leftovers.ts";
import { addOwn } from "./commands/own.ts";
import { addPlan } from "./commands/plan.ts";
import { addPreview } from "./commands/preview.ts";
import { addRun } from "./commands/run.ts";
import { addTest } from "./commands/test.ts";
import { CommandError, exitStatus } from "./exit.ts";

const program = new Command("testbed")
  .summary("Apache CloudStack test environments on bare metal")
  .description(
    "testbed turns an inventory, a marvin configuration and a stack file into a proved environment: hosts re-imaged over PXE, " +
      "each showing by SSH that the installation that was asked for is the one that answers. The work is done by `pulumi up`; " +
      "testbed checks the inputs, gives Pulumi its environment, serves the embedded lab, and tests what came out.",
  )
  .version("0.1.0")
  .enablePositionalOptions()
  .showHelpAfterError("(testbed --help shows the commands)")
  .addHelpText(
    "after",
    `
To begin, on a machine with Debian 12, Node and root:
  make up                                             start the embedded lab, converge stack kvm, prove every host
  testbed check                                       look for faults in the inputs
  testbed exec --stack kvm -- pulumi up --stack kvm   plain Pulumi, inside the lab

Exit statuses: 0 ok · 1 product failure, or a difference where one was asked about · 2 wrong use or faulty input ·
3 infrastructure failure · 130 interrupted. \`exec\` and \`preview\` have the status of what they run.`,
  )
  .exitOverride();

for (const add of [addCheck, addPlan, addPreview, addRun, addTest, addDown, addExec, addEnv, addLab, addDoctor, addOwn, addLeftovers])
  add(program);

// Whoever reads our output may leave before its end (`testbed lab status | head`): the rest is for nobody, and the work goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = statusOf(error);
}

function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.ok : exitStatus.input;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`testbed: ${message}\n`);
  if (error instanceof CommandError) return error.status;
  if (process.env.TESTBED_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitStatus.infrastructure;
}
