import type { Command } from "commander";
import { CommandError, exitStatus } from "../exit.ts";
import { projectFolder, stackNames } from "../project.ts";

type Target = { stack: string } | { site: string };

export function addCheck(program: Command): void {
  program
    .command("check")
    .summary("report every fault of the inputs: file, line, remedy")
    .description(
      "Reads the inventory, the marvin configuration and the stack file, and reports every fault at once, like a compiler. " +
        "Touches nothing and needs no lab. Without --stack and --site it checks every stack of the checkout. The codes are in docs/error-codes.md.",
    )
    .option("-s, --stack <name>", "check this stack and what it names")
    .option("--site <name>", "check this site's inventory and marvin configurations")
    .option("--json", "print the findings as JSON")
    .action(async (options: { stack?: string; site?: string; json?: boolean }) => {
      process.exitCode = await check(targets(options), options.json ?? false);
    });
}

function targets({ stack, site }: { stack?: string; site?: string }): Target[] {
  if (stack && site) throw new CommandError(exitStatus.input, "Say --stack or --site, not both.");
  if (stack) return [{ stack }];
  if (site) return [{ site }];
  return stackNames().map((name) => ({ stack: name }));
}

/** Prints what is wrong with the inputs. The status says whether anything is. */
export async function check(all: readonly Target[], json: boolean): Promise<number> {
  // Loaded here: other commands start faster without the schemas.
  const [{ loadInputs }, { renderFindings }] = await Promise.all([import("../../stacks/load.ts"), import("../../stacks/findings.ts")]);
  const results = all.map((target) => ({ target, findings: loadInputs(projectFolder, target).findings }));
  const errors = results.flatMap(({ findings }) => findings.filter((finding) => finding.severity === "error")).length;
  if (json)
    process.stdout.write(
      `${JSON.stringify({ errors, checked: results.map(({ target, findings }) => ({ ...target, findings })) }, undefined, 2)}\n`,
    );
  else {
    for (const { target, findings } of results) {
      const name = "stack" in target ? `stack ${target.stack}` : `site ${target.site}`;
      if (findings.length > 0) process.stdout.write(`${renderFindings(findings)}\n`);
      const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
      process.stdout.write(`${name}: ${count("error")} errors, ${count("warning")} warnings\n`);
    }
  }
  return errors > 0 ? exitStatus.input : exitStatus.ok;
}
