import {
  checkClearText,
  checkCloudSecrets,
  checkExternal,
  checkInventory,
  checkMarvin,
  checkPlaceholders,
  checkServerCredential,
  checkSite,
  checkStack,
  checkUnused,
} from "./checks/index.ts";
import { type StackConfiguration, type StackFile, stackConfiguration, stackFileSchema } from "./config.ts";
import { absentFile, chosenConfigurations, configurations, type Input, namedIn, readMarvin, readSource, siteTexts } from "./files.ts";
import { type Finding, sortFindings } from "./findings.ts";
import { externalSiteSchema, type Inventory, inventorySchema } from "./inventory.ts";
import type { Marvin } from "./marvin.ts";
import { type ExternalPlan, type Plan, plan, planExternal } from "./plan.ts";
import { planCloud } from "./plan-zones.ts";
import { type Found, isRecord, parseBySchema } from "./schema.ts";
import { parseYamlSource, type Source } from "./sources/index.ts";

export interface Loaded {
  findings: Finding[];
  /** Present where something is installed by us and the inventory can be read as one, whatever else is found. */
  inventory?: Inventory;
  /** Present when there is a stack and no finding is an error; absent where nothing is installed by us. */
  plan?: Plan;
  /** Present where the site only names a management server that runs already, and no finding is an error. */
  external?: ExternalPlan;
}

/** Reads and checks every input of a stack, or of a site alone. Reports all faults at once and never throws for one. */
export function loadInputs(folder: string, target: { stack: string } | { site: string }): Loaded {
  const stack = "stack" in target ? readStack(folder, target.stack) : undefined;
  const site = "site" in target ? target.site : namedIn(stack?.source, "site");
  const findings = stack ? [...stack.source.findings, ...checkClearText(stack.source, "stack")] : [];
  const absent = stack && site !== undefined ? absentFile(folder, stack.source, site) : undefined;
  if (absent) findings.push(absent.finding);
  if (site === undefined || absent?.key === "site") return { findings: sortFindings(findings) };

  const siteFolder = `environments/${site}`;
  const marvins = (absent ? [] : chosenConfigurations(stack?.source, folder, siteFolder)).map((name) =>
    readMarvin(folder, siteFolder, name),
  );
  for (const { source, found, data } of marvins) findings.push(...source.findings, ...(found ? checkMarvin(found, source, data) : []));
  const source = readSource(folder, `${siteFolder}/inventory.yaml`, parseYamlSource);
  findings.push(...checkClearText(source, "inventory"));
  if (stack?.found)
    findings.push(...secretFindings(marvins, stackConfiguration(stack.name, stack.found), stack.source, isExternal(source)));
  const inputs = { folder, site, source, marvins, findings, stack };
  return isExternal(source) ? loadExternal(inputs) : loadSite(inputs);
}

interface SiteInputs {
  folder: string;
  site: string;
  source: Source;
  marvins: Input<Marvin>[];
  findings: Finding[];
  stack: (Input<StackFile> & { name: string }) | undefined;
}

/** Checks the inventory, and what it and the other files say of each other. */
function loadSite({ folder, site, source, marvins, findings, stack }: SiteInputs): Loaded {
  const siteFolder = `environments/${site}`;
  const { data, found } = parseBySchema(source, inventorySchema, "the site");
  findings.push(...source.findings);
  if (!found) return { findings: sortFindings(findings) };
  const texts = siteTexts(folder, siteFolder, found, source);
  findings.push(...texts.findings, ...checkInventory(found, source, site));
  for (const marvin of marvins)
    if (marvin.found) findings.push(...checkSite(found, marvin.found, { inventory: source, marvin: marvin.source }));
  findings.push(...unusedFindings(folder, siteFolder, found, source, marvins));
  const [marvin] = marvins;
  if (stack?.found) {
    const sources = { inventory: source, config: stack.source };
    findings.push(...checkStack(found, marvin?.found, stackConfiguration(stack.name, stack.found), sources));
  }
  const loaded: Loaded = { findings: sortFindings(findings), ...(data ? { inventory: data } : {}) };
  if (hasErrors(findings) || !data || !stack?.data || !marvin?.data) return loaded;
  return { ...loaded, plan: plan(data, marvin.data, stackConfiguration(stack.name, stack.data), texts.digests, texts.snippets) };
}

/** A site where nothing is installed: no machine is looked for, and the stack brings what its cloud needs. */
function loadExternal({ source, marvins, findings, stack }: SiteInputs): Loaded {
  const { data } = parseBySchema(source, externalSiteSchema, "the site");
  findings.push(...source.findings);
  for (const marvin of marvins) if (marvin.found) findings.push(...checkExternal(marvin.found, marvin.source));
  const [marvin] = marvins;
  if (data && stack?.found) findings.push(...checkServerCredential(data, stackConfiguration(stack.name, stack.found), stack.source));
  const loaded: Loaded = { findings: sortFindings(findings) };
  if (hasErrors(findings) || !data || !stack?.data || !marvin?.data) return loaded;
  return { ...loaded, external: planExternal(data, marvin.data, stackConfiguration(stack.name, stack.data)) };
}

function isExternal({ value }: Source): boolean {
  return (
    isRecord(value) && Object.hasOwn(value, "managementServer") && !Object.hasOwn(value, "driver") && !Object.hasOwn(value, "machines")
  );
}

function readStack(folder: string, name: string): Input<StackFile> & { name: string } {
  const source = readSource(folder, `Pulumi.${name}.yaml`, parseYamlSource);
  return { name, source, ...parseBySchema(source, stackFileSchema, "the stack") };
}

/** Whether the stack has the secrets that its marvin file needs. */
function secretFindings(
  marvins: readonly Input<Marvin>[],
  config: Found<StackConfiguration>,
  source: Source,
  external: boolean,
): Finding[] {
  return marvins.flatMap((marvin) => [
    ...checkPlaceholders(marvin.source, config),
    ...(marvin.data ? checkCloudSecrets(planCloud(marvin.data), config, source, external) : []),
  ]);
}

/** Needs every marvin file of the site: one that is not the stack's is read for its hosts only. */
function unusedFindings(
  folder: string,
  siteFolder: string,
  inventory: Found<Inventory>,
  source: Source,
  marvins: readonly Input<Marvin>[],
): Finding[] {
  const all = configurations(folder, siteFolder).map((name) => {
    const known = marvins.find((one) => one.source.file === `${siteFolder}/${name}`);
    return (known ?? readMarvin(folder, siteFolder, name)).found;
  });
  const whole = all.filter((one) => one !== undefined);
  // What a file that cannot be read uses is unknown.
  return all.length > 0 && whole.length === all.length ? checkUnused(inventory, whole, source) : [];
}

function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === "error");
}
