import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { templateDigest } from "../providers/cobbler/index.ts";
import { configPath } from "./config.ts";
import type { Finding } from "./findings.ts";
import type { Inventory } from "./inventory.ts";
import { type Marvin, marvinSchema } from "./marvin.ts";
import { didYouMean, type Found, isRecord, parseBySchema, type Read } from "./schema.ts";
import { snippetsOf } from "./snippets.ts";
import { parseMarvinSource, type Source } from "./sources/index.ts";

/** A file with what its schema made of it. */
export type Input<T> = Read<T> & { source: Source };

/** Reads and parses a file of the project folder. One that cannot be read is a broken source with a finding. */
export function readSource(folder: string, file: string, parse: (file: string, text: string) => Source): Source {
  try {
    return parse(file, readFileSync(join(folder, file), "utf8"));
  } catch (error) {
    const source = parse(file, "");
    const { sourceLine: _, ...finding } = source.finding("TB100", [], {
      what: `the file cannot be read: ${(error as { code?: string }).code ?? String(error)}`,
      why: "the environment is described by it",
      remedy: "create it, or correct the name where it is used",
    });
    return { ...source, broken: true, findings: [finding] };
  }
}

export function readMarvin(folder: string, siteFolder: string, name: string): Input<Marvin> {
  const source = readSource(folder, `${siteFolder}/${name}`, parseMarvinSource);
  return { source, ...parseBySchema(source, marvinSchema, "the cloud") };
}

/** Names of the site's marvin configurations. */
export function configurations(folder: string, siteFolder: string): string[] {
  return entries(join(folder, siteFolder)).filter((name) => name.endsWith(".cfg"));
}

/** The marvin file that the stack names; every one of the site where no stack is meant. */
export function chosenConfigurations(stack: Source | undefined, folder: string, siteFolder: string): string[] {
  if (!stack) return configurations(folder, siteFolder);
  const name = namedIn(stack, "marvin");
  return name === undefined ? [] : [name];
}

/** Site and marvin file lead to the other inputs: they are taken from a stack file with faults too, so that those are checked as well. */
export function namedIn(stack: Source | undefined, key: "site" | "marvin"): string | undefined {
  const config = isRecord(stack?.value) ? stack.value.config : undefined;
  const value = isRecord(config) ? config[String(configPath(key)[1])] : undefined;
  return typeof value === "string" && /^[\w-][\w.-]*$/.test(value) ? value : undefined;
}

/** A site or a marvin file that the stack file names and nobody has: reported where it is named. */
export function absentFile(folder: string, stack: Source, site: string): { key: "site" | "marvin"; finding: Finding } | undefined {
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

/** The site's answer files and snippets: their digests, which snippets each answer file includes, and what cannot be read. */
export function siteTexts(folder: string, siteFolder: string, inventory: Found<Inventory>, source: Source) {
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

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // what is missing from it is reported
  }
}
