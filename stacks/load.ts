import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { templateDigest } from "../providers/cobbler/index.ts";
import { checkAgreement, checkInventory, checkMarvin } from "./agreement.ts";
import { type StackConfiguration, stackConfiguration, stackFileSchema } from "./config.ts";
import type { Finding } from "./findings.ts";
import { type Inventory, inventorySchema } from "./inventory.ts";
import { type Marvin, marvinSchema } from "./marvin.ts";
import { type Plan, plan } from "./plan.ts";
import { parseBySchema } from "./schema.ts";
import { parseMarvinSource, parseYamlSource, type Source } from "./source.ts";

export interface Loaded {
  findings: Finding[];
  /** Present when there is a stack and no finding is an error. */
  plan?: Plan;
}

/** Reads and checks every input of a stack, or of a site alone. Reports all faults at once and never throws for one. */
export function loadInputs(folder: string, target: { stack: string } | { site: string }): Loaded {
  const findings: Finding[] = [];
  let config: StackConfiguration | undefined;
  let stackSource: Source | undefined;
  if ("stack" in target) {
    stackSource = read(folder, `Pulumi.${target.stack}.yaml`, parseYamlSource);
    const file = parseBySchema(stackSource, stackFileSchema, "the stack");
    if (file) config = stackConfiguration(target.stack, file);
    findings.push(...stackSource.findings);
  }
  const site = "site" in target ? target.site : config?.site;
  if (site === undefined) return { findings };
  const siteFolder = `environments/${site}`;

  const inventorySource = read(folder, `${siteFolder}/inventory.yaml`, parseYamlSource);
  const inventory: Inventory | undefined = parseBySchema(inventorySource, inventorySchema, "the site");
  findings.push(...inventorySource.findings);
  const digests = inventory ? templateDigests(folder, siteFolder, inventory, inventorySource, findings) : {};
  if (inventory) findings.push(...checkInventory(inventory, inventorySource));

  const files = config ? [config.marvin] : configurations(folder, siteFolder);
  let planned: Plan | undefined;
  for (const file of files) {
    const source = read(folder, `${siteFolder}/${file}`, parseMarvinSource);
    const marvin: Marvin | undefined = parseBySchema(source, marvinSchema, "the cloud");
    findings.push(...source.findings);
    if (!marvin) continue;
    findings.push(...checkMarvin(marvin, source));
    if (!inventory || !config || !stackSource) continue;
    findings.push(...checkAgreement(inventory, marvin, config, { inventory: inventorySource, marvin: source, config: stackSource }));
    if (!findings.some((finding) => finding.severity === "error")) planned = plan(inventory, marvin, config, digests);
  }
  return planned ? { findings, plan: planned } : { findings };
}

function read(folder: string, file: string, parse: (file: string, text: string) => Source): Source {
  let text: string;
  try {
    text = readFileSync(join(folder, file), "utf8");
  } catch (error) {
    const source = parse(file, "");
    source.findings.splice(0, source.findings.length, {
      file,
      line: 1,
      column: 1,
      code: "TB100",
      severity: "error",
      what: `the file cannot be read: ${(error as { code?: string }).code ?? String(error)}`,
      why: "the environment is described by it",
      remedy: "create it, or correct the name where it is used",
    });
    return source;
  }
  return parse(file, text);
}

function templateDigests(
  folder: string,
  siteFolder: string,
  inventory: Inventory,
  source: Source,
  findings: Finding[],
): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const [name, template] of Object.entries(inventory.templates)) {
    try {
      digests[name] = templateDigest(readFileSync(join(folder, siteFolder, template.file), "utf8"));
    } catch {
      findings.push(
        source.finding("TB100", ["templates", name, "file"], {
          what: `the answer file ${siteFolder}/${template.file} cannot be read`,
          why: "the installer would have no answers",
          remedy: "create it, or correct the name",
        }),
      );
    }
  }
  return digests;
}

function configurations(folder: string, siteFolder: string): string[] {
  try {
    return readdirSync(join(folder, siteFolder))
      .filter((name) => name.endsWith(".cfg"))
      .sort();
  } catch {
    return []; // the missing folder is reported with its inventory
  }
}
