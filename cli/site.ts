import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CommandError, exitStatus } from "./exit.ts";
import { projectFolder, stackNames } from "./project.ts";

/** What the command line must know of a site before, and even if not, the inputs are free of faults. */
export interface SiteSummary {
  site: string;
  embedded: boolean;
  /** The inventory's hint for a site that does not answer. */
  unreachable: string | undefined;
  machines: number;
  /** A committed passphrase, which only an embedded site may have. */
  passphraseFile: string | undefined;
}

/** Reads the site of a stack: leniently, since `check` is what reports faults. */
export function siteOfStack(stack: string, folder = projectFolder): SiteSummary {
  const file = join(folder, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) {
    const known = stackNames(folder).join(", ") || "none";
    throw new CommandError(exitStatus.input, `There is no stack ${stack}: Pulumi.${stack}.yaml does not exist. Stacks here: ${known}.`);
  }
  const config = record(record(readYaml(file)).config);
  const site = config["cloudstack-testbed:site"];
  if (typeof site !== "string" || site === "") {
    throw new CommandError(exitStatus.input, `Pulumi.${stack}.yaml does not say its site: set it with \`pulumi config set site NAME\`.`);
  }
  return readSite(site, folder);
}

/** Reads the little of an inventory that the command line needs. */
export function readSite(site: string, folder = projectFolder): SiteSummary {
  const siteFolder = join(folder, "environments", site);
  const file = join(siteFolder, "inventory.yaml");
  if (!existsSync(file)) throw new CommandError(exitStatus.input, `Site ${site} has no inventory: ${file} does not exist.`);
  const inventory = record(readYaml(file));
  const passphraseFile = join(siteFolder, "passphrase");
  const embedded = inventory.embedded === true;
  return {
    site,
    embedded,
    unreachable: typeof inventory.unreachable === "string" ? inventory.unreachable : undefined,
    machines: Object.keys(record(inventory.machines)).length,
    passphraseFile: embedded && existsSync(passphraseFile) ? passphraseFile : undefined,
  };
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      exitStatus.input,
      `${file} cannot be read: ${reason.trimEnd()}\nRun \`testbed check\` for every fault of the inputs.`,
    );
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
