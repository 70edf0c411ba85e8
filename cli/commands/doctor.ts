import type { Command } from "commander";
import { goToSite, openStack, stackOption } from "../stack.ts";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .summary("look at tools, driver, BMCs and proved hosts, read-only")
    .description(
      "Looks at the tools of this machine; at the driver's clock, free room, dnsmasq (version, process, folders, configuration) and cobbler " +
        "(version, login, who serves DHCP and DNS, its template); at each BMC; and at the keys and clocks of the hosts that the stack has proved. " +
        "Changes nothing. Status 3: something needs attention; each finding comes with its remedy.",
    )
    .option(...stackOption)
    .option("--json", "print what was seen as JSON")
    .action(async (options: { stack?: string; json?: boolean }) => {
      const opened = openStack(options.stack);
      goToSite(opened, ["doctor", ...(options.json ? ["--json"] : [])]);
      const { examineSite } = await import("../../runner/doctor.ts");
      process.exitCode = await examineSite(opened, options.json ?? false);
    });
}
