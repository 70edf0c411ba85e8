import { readFileSync } from "node:fs";

/** A setting as release 4.20.3.0 describes it. */
export interface SettingDescription {
  name: string;
  category: string;
  group: string;
  subgroup: string;
  value?: string;
  defaultvalue?: string;
  isdynamic: boolean;
  type: string;
  /** What it can be set for beside the whole cloud. */
  scope?: string;
}

function lines<T>(file: string): T[] {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

/** Those of the server's 845 settings that its recordings show, in the server's order: by name. */
export const settingsCatalogue = lines<SettingDescription>("settings.jsonl");

export interface CommandDescription {
  name: string;
  isasync: boolean;
  since?: string;
  /** By name: type, greatest length, whether it is required. */
  params: Record<string, [type: string, length: number, required: boolean]>;
  response: string[];
}

/** The commands of the recordings, as the server's own listApis describes them. */
export const commandCatalogue = new Map(lines<CommandDescription>("commands.jsonl").map((one) => [one.name, one]));
