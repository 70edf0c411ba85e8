import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { templateDigest } from "../providers/cobbler/index.ts";
import { checkClearText, checkExternal, checkInventory, checkMarvin, checkSite, checkStack, checkUnused } from "./checks/index.ts";
import { configPath, type StackFile, stackConfiguration, stackFileSchema } from "./config.ts";
import { type Finding, sortFindings } from "./findings.ts";
import { type ExternalSite, externalSiteSchema, type Inventory, inventorySchema } from "./inventory.ts";
import { type Marvin, marvinSchema } from "./marvin.ts";
import { type Plan, plan } from "./plan.ts";
import { didYouMean, type Found, isRecord, parseBySchema, type Read } from "./schema.ts";
import { snippetsOf } from "./snippets.ts";
import { parseMarvinSource, parseYamlSource, type Source } from "./sources/index.ts";

export interface Loaded {
  findings: Finding[];
  /** Present when there is a stack and no finding is an error; absent where nothing is installed by us. */
  plan?: Plan;
  /** Present where the site only names a management server that runs already. */
  external?: ExternalSite;
}

/** A file with what its schema made of it. */
type Input<T> = Read<T> & { source: Source };

/** Reads and checks every input of a stack, or of a site alone. Reports all faults at once and never throws for one. */
export function loadInputs(folder: string, target: { stack: string } | { site: string }): Loaded {
  const stack = "stack" in target ? read(folder, `Pulumi.${target.stack}.yaml`, parseYamlSource, stackFileSchema, "the stack") : undefined;
  const site = "site" in target ? target.site : namedIn(stack?.source, "site");
  if (site === undefined) return { findings: sortFindings(stackFindings(stack)) };
  const siteFolder = `environments/${site}`;
  const absent = stack ? absentFile(folder, stack.source, site) : undefined;
  if (stack && absent?.key === "site") return { findings: sortFindings([...stackFindings(stack), absent.finding]) };
  const marvins = (absent ? [] : namesOf(stack?.source, folder, siteFolder)).map((name) => readMarvin(folder, siteFolder, name));
  const inventorySource = parse(folder, `${siteFolder}/inventory.yaml`, parseYamlSource);
  if (isExternal(inventorySource)) return loadExternal(inventorySource, marvins, stack);

  const inventory = { source: inventorySource, ...parseBySchema(inventorySource, inventorySchema, "the site") };
  const config = stack?.found && stackConfiguration("stack" in target ? target.stack : "", stack.found);
  const texts = inventory.found && siteTexts(folder, siteFolder, inventory.found, inventorySource);
  const findings = [
    ...stackFindings(stack),
    ...(absent ? [absent.finding] : []),
    ...inventorySource.findings,
    ...checkClearText(inventorySource, "inventory"),
    ...(texts?.findings ?? []),
    ...(inventory.found ? checkInventory(inventory.found, inventorySource, site) : []),
    ...marvins.flatMap((one) => marvinFindings(one)),
    ...marvins.flatMap(({ found, source }) =>
      found && inventory.found ? checkSite(inventory.found, found, { inventory: inventorySource, marvin: source }) : [],
    ),
    ...unusedFindings(folder, siteFolder, inventory, marvins),
  ];
  if (inventory.found && config && stack)
    findings.push(
      ...checkStack(inventory.found, marvins[0]?.found, config, {
        inventory: inventorySource,
        marvin: marvins[0]?.source,
        config: stack.source,
      }),
    );
  const loaded: Loaded = { findings: sortFindings(findings) };
  if (findings.some((finding) => finding.severity === "error")) return loaded;
  if (!("stack" in target) || !inventory.data || !stack?.data || !marvins[0]?.data) return loaded;
  return {
    ...loaded,
    plan: plan(inventory.data, marvins[0].data, stackConfiguration(target.stack, stack.data), texts?.digests ?? {}, texts?.snippets),
  };
}

/** A site where nothing is installed: its marvin files are checked for themselves, and no inventory is asked. */
function loadExternal(source: Source, marvins: Input<Marvin>[], stack: Input<StackFile> | undefined): Loaded {
  const site = parseBySchema(source, externalSiteSchema, "the site");
  const findings = sortFindings([
    ...stackFindings(stack),
    ...source.findings,
    ...checkClearText(source, "inventory"),
    ...marvins.flatMap((one) => [...marvinFindings(one), ...(one.found ? checkExternal(one.found, one.source) : [])]),
  ]);
  return site.data && !findings.some((finding) => finding.severity === "error") ? { findings, external: site.data } : { findings };
}

function isExternal({ value }: Source): boolean {
  return (
    isRecord(value) && Object.hasOwn(value, "managementServer") && !Object.hasOwn(value, "driver") && !Object.hasOwn(value, "machines")
  );
}

function stackFindings(stack: Input<StackFile> | undefined): Finding[] {
  return stack ? [...stack.source.findings, ...checkClearText(stack.source, "stack")] : [];
}

function marvinFindings({ source, found }: Input<Marvin>): Finding[] {
  return [...source.findings, ...(found ? checkMarvin(found, source) : [])];
}

/** Needs every marvin file of the site: one that is not the stack's is read for its hosts only. */
function unusedFindings(folder: string, siteFolder: string, inventory: Input<Inventory>, marvins: readonly Input<Marvin>[]): Finding[] {
  const all = configurations(folder, siteFolder).map((name) => {
    const known = marvins.find(({ source }) => source.file === `${siteFolder}/${name}`);
    return (known ?? readMarvin(folder, siteFolder, name)).found;
  });
  const whole = all.filter((one): one is Found<Marvin> => one !== undefined);
  // What a file that cannot be read uses is unknown.
  return inventory.found && all.length > 0 && whole.length === all.length ? checkUnused(inventory.found, whole, inventory.source) : [];
}

function read<T>(
  folder: string,
  file: string,
  parser: (file: string, text: string) => Source,
  schema: Parameters<typeof parseBySchema<T>>[1],
  purpose: string,
): Input<T> {
  const source = parse(folder, file, parser);
  return { source, ...parseBySchema(source, schema, purpose) };
}

function readMarvin(folder: string, siteFolder: string, name: string): Input<Marvin> {
  return read(folder, `${siteFolder}/${name}`, parseMarvinSource, marvinSchema, "the cloud");
}

function parse(folder: string, file: string, parser: (file: string, text: string) => Source): Source {
  try {
    return parser(file, readFileSync(join(folder, file), "utf8"));
  } catch (error) {
    const source = parser(file, "");
    const finding = source.finding("TB100", [], {
      what: `the file cannot be read: ${(error as { code?: string }).code ?? String(error)}`,
      why: "the environment is described by it",
      remedy: "create it, or correct the name where it is used",
    });
    const { sourceLine: _, ...withoutLine } = finding;
    return { ...source, broken: true, findings: [withoutLine] };
  }
}

/** The site's answer files and snippets: their digests, which snippets each answer file includes, and what cannot be read. */
function siteTexts(folder: string, siteFolder: string, inventory: Found<Inventory>, source: Source) {
  const findings: Finding[] = [];
  const readAll = (section: "templates" | "snippets", what: string) => {
    const texts = new Map<string, string>();
    for (const [name, { file }] of Object.entries(inventory[section] ?? {})) {
      if (file === undefined) continue;
      try {
        texts.set(name, readFileSync(join(folder, siteFolder, file), "utf8"));
      } catch {
        findings.push(
          source.finding("TB100", [section, name, "file"], {
            what: `the ${what} ${siteFolder}/${file} cannot be read`,
            why: "the installer would have no answers",
            remedy: "create it, or correct the name",
          }),
        );
      }
    }
    return texts;
  };
  const [templates, snippets] = [readAll("templates", "answer file"), readAll("snippets", "snippet")];
  const each = <T>(texts: Map<string, string>, make: (text: string) => T) =>
    Object.fromEntries([...texts].map(([name, text]) => [name, make(text)]));
  return {
    digests: each(templates, templateDigest),
    snippets: { digests: each(snippets, templateDigest), uses: each(templates, (text) => snippetsOf(text, snippets)) },
    findings,
  };
}

/** The marvin file that the stack names; every one of the site where no stack is meant. */
function namesOf(stack: Source | undefined, folder: string, siteFolder: string): string[] {
  if (!stack) return configurations(folder, siteFolder);
  const name = namedIn(stack, "marvin");
  return name === undefined ? [] : [name];
}

/** Site and marvin file lead to the other inputs: they are taken from a stack file with faults too, so that those are checked as well. */
function namedIn(stack: Source | undefined, key: "site" | "marvin"): string | undefined {
  const config = isRecord(stack?.value) ? stack.value.config : undefined;
  const value = isRecord(config) ? config[String(configPath(key)[1])] : undefined;
  return typeof value === "string" && /^[\w-][\w.-]*$/.test(value) ? value : undefined;
}

/** A site or a marvin file that the stack file names and nobody has: reported where it is named. */
function absentFile(folder: string, stack: Source, site: string): { key: "site" | "marvin"; finding: Finding } | undefined {
  const report = (key: "site" | "marvin", what: string, name: string, known: readonly string[]) => ({
    key,
    finding: stack.finding("TB100", configPath(key), {
      what: `${what} does not exist${didYouMean(name, known)}`,
      why: "the environment is described by it",
      remedy: "correct the name, or create it",
    }),
  });
  const sites = entries(join(folder, "environments"));
  if (!sites.includes(site)) return report("site", `environments/${site}`, site, sites);
  const [marvin, files] = [namedIn(stack, "marvin"), configurations(folder, `environments/${site}`)];
  if (marvin === undefined || files.includes(marvin) || !marvin.endsWith(".cfg")) return undefined;
  return report("marvin", `environments/${site}/${marvin}`, marvin, files);
}

function configurations(folder: string, siteFolder: string): string[] {
  return entries(join(folder, siteFolder)).filter((name) => name.endsWith(".cfg"));
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // what is missing from it is reported
  }
}
