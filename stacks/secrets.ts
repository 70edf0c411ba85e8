import type { StackConfiguration } from "./config.ts";
import type { Finding } from "./findings.ts";
import type { Inventory } from "./inventory.ts";
import { lookup } from "./schema.ts";
import type { Path, Source } from "./source.ts";

/** Whether every credential that the site needs is set, and encrypted. */
export function checkSecrets(inventory: Inventory, config: StackConfiguration, source: Source): Finding[] {
  const findings: Finding[] = [];
  const path: Path = ["config", "cloudstack-testbed:credentials"];
  const needed = new Map<string, string[]>([
    [inventory.driver.ssh.credential, ["privateKey"]],
    [inventory.driver.cobbler.credential, ["user", "password"]],
    ["hosts", ["user", "privateKey"]],
    ...Object.values(inventory.machines).flatMap((machine) =>
      machine.bmc ? [[machine.bmc.credential, ["user", "password"]] as [string, string[]]] : [],
    ),
  ]);
  for (const [name, fields] of needed) {
    for (const field of fields) {
      if (lookup(lookup(config.credentials, name) ?? {}, field)) continue;
      findings.push(
        source.finding("TB130", path, {
          what: `the secret credentials.${name}.${field} is missing`,
          why: "a system of the site cannot be reached without it",
          remedy: `pulumi config set --secret --path credentials.${name}.${field}`,
        }),
      );
    }
  }
  for (const [name, fields] of Object.entries(config.credentials)) {
    for (const [field, form] of Object.entries(fields)) {
      if (form === "clear" && field !== "user")
        findings.push(
          source.finding("TB131", [...path, name, field], {
            what: `credentials.${name}.${field} stands in clear text`,
            why: "everybody who can read the repository has it",
            remedy: `change it, then pulumi config set --secret --path credentials.${name}.${field}`,
          }),
        );
    }
  }
  return findings;
}
