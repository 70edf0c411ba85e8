import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { stopLab } from "../../lab/index.ts";
import { listStacks, type StackRow } from "../../runner/pulumi.ts";
import { runLogged } from "../child.ts";
import { exitStatus } from "../exit.ts";
import { labOf } from "../lab-place.ts";
import { projectFolder, stackFolder } from "../project.ts";
import { siteOfStack } from "../site.ts";
import { argvAtSite, type OpenStack, openStack, stackOption } from "../stack.ts";

export function addDown(program: Command): void {
  program
    .command("down")
    .summary("destroy the stack's environment; stop the lab when no other stack uses it")
    .description(
      "`pulumi destroy` of the stack. Where the site is an embedded lab and no other stack of it in this state backend has resources, " +
        "the lab is stopped as well; its data stays. Does nothing when there is nothing to destroy.",
    )
    .option(...stackOption)
    .action(async (options: { stack?: string }) => {
      process.exitCode = await down(openStack(options.stack));
    });
}

async function down(opened: OpenStack): Promise<number> {
  const before = await listStacks(opened);
  if (resources(before, opened.stack) > 0) {
    const log = join(stackFolder(opened.stack), "down.log");
    const argv = ["pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "--suppress-outputs", "--stack", opened.stack];
    const { status, interrupted } = await runLogged(argvAtSite(opened, argv, projectFolder), opened.environment, projectFolder, log);
    if (interrupted) return exitStatus.interrupted;
    if (status !== 0) {
      process.stderr.write(
        `testbed: stack ${opened.stack} is not destroyed. The log is ${log}; \`testbed down\` goes on where it stopped.\n`,
      );
      return exitStatus.infrastructure;
    }
  } else process.stdout.write(`stack ${opened.stack} has no resources\n`);
  if (opened.site.embedded) await stopUnusedLab(opened, before);
  return exitStatus.ok;
}

async function stopUnusedLab(opened: OpenStack, rows: readonly StackRow[]): Promise<void> {
  const users = rows.filter((row) => row.name !== opened.stack && (row.resourceCount ?? 0) > 0 && isOfSite(row.name, opened.site.site));
  if (users.length > 0) {
    process.stdout.write(`the lab stays: it is used by ${users.map((row) => row.name).join(", ")}\n`);
    return;
  }
  process.stdout.write(`lab ${await stopLab(labOf(opened.site.site))}\n`);
}

function isOfSite(stack: string, site: string): boolean {
  return existsSync(join(projectFolder, `Pulumi.${stack}.yaml`)) && siteOfStack(stack).site === site;
}

function resources(rows: readonly StackRow[], stack: string): number {
  return rows.find((row) => row.name === stack)?.resourceCount ?? 0;
}
