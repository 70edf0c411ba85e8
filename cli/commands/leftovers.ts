import type { Command } from "commander";
import { goToSite, openStack, stackOption } from "../stack.ts";

interface Options {
  stack?: string;
  remove?: boolean;
  json?: boolean;
}

export function addLeftovers(program: Command): void {
  program
    .command("leftovers")
    .summary("list what no state knows, and remove it")
    .description(
      "Asks every system of the stack's site (XenServer, cobbler, dnsmasq, puppet, NFS, leases) for what carries a mark of this project, and " +
        "lists what no stack of this state backend has in its state. What other owners made is shown and never touched. Read-only without " +
        "--remove. Status 1: something is left over; 3: a system could not be asked, or something could not be removed.",
    )
    .option(...stackOption)
    .option("--remove", "show it, then remove it, and say what was removed")
    .option("--json", "print it as JSON")
    .action(async ({ stack, remove = false, json = false }: Options) => {
      const opened = openStack(stack);
      goToSite(opened, ["leftovers", ...(remove ? ["--remove"] : []), ...(json ? ["--json"] : [])]);
      const { leftovers } = await import("../../runner/leftovers.ts");
      process.exitCode = await leftovers(opened, { remove, json });
    });
}
