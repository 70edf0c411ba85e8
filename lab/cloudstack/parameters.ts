import type { CommandDescription } from "./catalogue.ts";
import type { Database } from "./database.ts";
import { invalidValue, malformed } from "./errors.ts";

export type Parameters = Record<string, string>;

/** Texts name the field of the server's Java class, which is not always the parameter's name. */
const fieldNames: Record<string, string> = { "createZone.name": "zoneName" };

/** Where the server does not begin with the first required parameter of the alphabet. */
const firstChecked: Record<string, string> = { addHost: "podid" };

/** Before anything else is looked at. */
export function refuseControlCharacters(parameters: Parameters): void {
  for (const [name, value] of Object.entries(parameters)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value))
      throw malformed(`Received value containing illegal ASCII non-printable characters for parameter ${name}`);
  }
}

/** Refuses what the server's parameter worker refuses, one fault at a time; unknown parameters and odd booleans pass. */
export function checkParameters(command: CommandDescription, parameters: Parameters, database: Database): void {
  const cannot = `Unable to execute API command ${command.name.toLowerCase()} due to`;
  const first = firstChecked[command.name];
  if (first && parameters[first] === undefined) throw malformed(`${cannot} missing parameter ${first}`);
  for (const [name, [type, length, required]] of Object.entries(command.params)) {
    const value = parameters[name];
    if (value === undefined) {
      if (required) throw malformed(`${cannot} missing parameter ${name}`);
      continue;
    }
    if (value.length > length) {
      const field = fieldNames[`${command.name}.${name}`] ?? name;
      throw malformed(`${cannot} invalid value. Value greater than max allowed length ${length} for param: ${field}`);
    }
    if (required && value === "") throw invalidValue(`Invalid value provided for API arg: ${name}`);
    if (["integer", "long", "short"].includes(type) && !/^[+-]?\d+$/.test(value))
      throw malformed(`${cannot} invalid value ${value} for parameter ${name}`);
    if (type === "uuid" && !isKnownId(value, database))
      throw malformed(
        `${cannot} invalid value. Invalid parameter ${name} value=${value} due to incorrect long value format, ` +
          "or entity does not exist or due to incorrect parameter annotation for the field in api cmd class.",
      );
  }
  checkPage(parameters);
}

/** Database ids work in place of uuids, and are not looked up here (cloudstack-observed facts 5). */
function isKnownId(value: string, database: Database): boolean {
  return /^\d+$/.test(value) || database.find(value) !== undefined;
}

/** What a parameter of a name refers to; `id` is of what the command is about. */
const tables: Record<string, string> = {
  ...{ zoneid: "zone", podid: "pod", clusterid: "cluster", hostid: "host", physicalnetworkid: "physicalnetwork", networkid: "network" },
  ...{ nspid: "provider", storageid: "storagepool", jobid: "job", accountid: "account", domainid: "domain" },
  ...{ zones: "zone", pods: "pod", clusters: "cluster", hosts: "host", physicalnetworks: "physicalnetwork", traffictypes: "traffictype" },
  ...{ networkserviceproviders: "provider", vlanipranges: "vlan", storagepools: "storagepool", imagestores: "imagestore" },
  ...{ networks: "network", systemvms: "systemvm", routers: "router", virtualmachines: "vm", templates: "template" },
};

function tableOf(command: string, parameter: string): string | undefined {
  if (parameter !== "id") return tables[parameter];
  const noun = command.replace(/^[a-z]+/, "").toLowerCase();
  return tables[noun] ?? tables[`${noun}s`];
}

/** The parameters with uuids where database ids were given: they work too (cloudstack-observed facts 5). */
export function withUuids(command: CommandDescription, parameters: Parameters, database: Database): Parameters {
  const known = Object.entries(parameters).map(([name, value]): [string, string] => {
    const table = command.params[name]?.[0] === "uuid" && /^\d+$/.test(value) ? tableOf(command.name, name) : undefined;
    return [name, (table && database.numbered(table, Number(value))?.id) ?? value];
  });
  return Object.fromEntries(known);
}

function checkPage({ page, pagesize }: Parameters): void {
  if (page !== undefined && pagesize === undefined) throw malformed('"pagesize" parameter is required when "page" is specified');
  if (page === undefined && pagesize !== undefined) throw malformed('"page" parameter is required when "pagesize" is specified');
}

/** The part of a list that was asked for. The count of the whole is the caller's to show. */
export function pageOf<T>(rows: readonly T[], { page, pagesize }: Parameters, largest: number): T[] {
  if (page === undefined || pagesize === undefined) return rows.slice(0, largest);
  const size = Number(pagesize);
  if (size === -1) throw invalidValue("Can't specify page parameter when pagesize is -1 (Unlimited)");
  if (size > largest) throw invalidValue(`Page size can't exceed max allowed page size value: ${largest}`);
  const first = Math.max(Number(page) - 1, 0) * size;
  return rows.slice(first, first + size);
}
