import type { Command } from "commander";
import { goToSite, openStack, stackOption } from "../stack.ts";

interface Options {
  stack?: string;
  yes?: boolean;
  json?: boolean;
}

/** `leases`, `takeover`, `adopt`: who holds what on the site, and how that is changed on purpose. */
export function addOwn(program: Command): void {
  program
    .command("leases")
    .summary("show who holds what on the site, and since when")
    .description(
      "Lists every claim on the driver of the stack's site: what, which stack of which owner, since when, made from where. Read-only.",
    )
    .option(...stackOption)
    .option("--json", "print it as JSON")
    .action(async (options: Options) => {
      const opened = openStack(options.stack);
      goToSite(opened, ["leases", ...flags(options)]);
      const { showLeases } = await import("../../runner/leases.ts");
      process.exitCode = await showLeases(opened, options.json ?? false);
    });
  program
    .command("takeover")
    .summary("take machines, or all that a stack wants, from another holder")
    .description(
      "Shows what of the given machines (without any: of everything that the stack wants) is held by another stack, or by this one from " +
        "another state, as after a move of the state; then moves the marks to this stack. Asks first; where nobody can be asked it needs " +
        "--yes. Changes nothing but marks and claims: the next `up` does the rest. Status 1: there is something to take and --yes was missing.",
    )
    .argument("[hosts...]", "machines of the stack")
    .option(...stackOption)
    .option("-y, --yes", "do it without asking")
    .option("--json", "print what is taken as JSON")
    .action(async (hosts: string[], options: Options) => {
      const opened = openStack(options.stack);
      goToSite(opened, ["takeover", ...flags(options), ...hosts]);
      const { takeover } = await import("../../runner/own-stack.ts");
      process.exitCode = await takeover(opened, hosts, { yes: options.yes ?? false, json: options.json ?? false });
    });
  program
    .command("adopt")
    .summary("take over what was made by hand and the stack wants")
    .description(
      "Shows which objects of a hand-made site (cobbler's distros, profiles, systems and templates, dnsmasq's entries) have the names that " +
        "the stack wants and carry nobody's mark, and where they differ; then marks them, so that the next `up` changes them instead of " +
        "refusing them. Asks first; where nobody can be asked it needs --yes. Status 1: there is something to adopt and --yes was missing.",
    )
    .option(...stackOption)
    .option("-y, --yes", "do it without asking")
    .option("--json", "print what is adopted as JSON")
    .action(async (options: Options) => {
      const opened = openStack(options.stack);
      goToSite(opened, ["adopt", ...flags(options)]);
      const { adopt } = await import("../../runner/own-stack.ts");
      process.exitCode = await adopt(opened, { yes: options.yes ?? false, json: options.json ?? false });
    });
}

function flags({ yes, json }: Options): string[] {
  return [...(yes ? ["--yes"] : []), ...(json ? ["--json"] : [])];
}
