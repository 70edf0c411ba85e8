import { type SettingDescription, settingsCatalogue } from "../catalogue.ts";
import type { Commands, Request } from "../command.ts";
import { listReply } from "../command.ts";
import type { Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue, malformed } from "../errors.ts";

/** What a setting can be set for, by the parameter that names it: its name as lists write it, and as a reset does. */
const scopes: Record<string, [scope: string, atReset: string]> = {
  zoneid: ["zone", "Zone"],
  clusterid: ["cluster", "Cluster"],
  storageid: ["storagepool", "StoragePool"],
  accountid: ["account", "Account"],
  domainid: ["domain", "Domain"],
  imagestoreuuid: ["imagestore", "ImageStore"],
};

const scopeParameters = ({ parameters }: Request) => Object.keys(scopes).filter((name) => parameters[name] !== undefined);
const MANY = "cannot handle multiple IDs, provide only one ID corresponding to the scope";

/** The object that a setting is asked for, or undefined for the whole cloud. */
function scopeOf(request: Request): { object: Row; name: string; atReset: string } | undefined {
  const [parameter] = scopeParameters(request);
  if (!parameter) return undefined;
  const object = request.cloud.database.find(request.parameters[parameter]) as Row;
  const [name, atReset] = scopes[parameter] as [string, string];
  return { object, name, atReset };
}

/** Values of an object's own stand in its details, as those of a zone show. */
const own = (object: Row | undefined, name: string) => (object?.settings as Record<string, string> | undefined)?.[name];

function settingReply(request: Request, description: SettingDescription, scope = scopeOf(request)): Reply {
  const { value: _, scope: __, ...fields } = description;
  const value = own(scope?.object, description.name) ?? request.cloud.stored(description.name);
  return { ...fields, ...(scope ? { scope: scope.name } : {}), ...(value === undefined ? {} : { value }) };
}

/** The scope of a change; refused when the setting has another one. */
function changedScope(request: Request, description: SettingDescription): ReturnType<typeof scopeOf> {
  if (scopeParameters(request).length > 1) throw invalidValue(MANY);
  const scope = scopeOf(request);
  if (scope && scope.name !== description.scope) throw invalidValue(`Invalid scope id provided for the parameter ${description.name}`);
  return scope;
}

/** In any text of it and in its value, as the database compares: ignoring case. */
function mentions(request: Request, description: SettingDescription, keyword: string): boolean {
  const { name, component, description: text, category, value } = settingReply(request, description);
  return [name, component, text, category, value].some(
    (one) => typeof one === "string" && one.toLowerCase().includes(keyword.toLowerCase()),
  );
}

function known({ parameters }: Request): SettingDescription {
  const found = settingsCatalogue.find((one) => one.name === parameters.name);
  if (!found) throw invalidValue(`Config parameter with name ${parameters.name} doesn't exist`);
  return found;
}

/** Java's class of a number, which the refusal names; the release says only `Number` and `Decimal`. */
function numberClass({ name, type }: SettingDescription): string {
  if (type === "Decimal") return name === "ping.timeout" ? "Float" : "Double";
  return name.startsWith("max.") ? "Long" : "Integer";
}

function isBoolean({ type, defaultvalue }: SettingDescription): boolean {
  return type === "Boolean" || defaultvalue === "true" || defaultvalue === "false";
}

/** Only the type is checked: numbers out of range, unknown options and unknown hosts are stored (cloudstack-observed facts 43). */
function checkValue(description: SettingDescription, value: string | undefined): void {
  if (value === undefined) return;
  if (isBoolean(description)) {
    if (!["true", "false"].includes(value.toLowerCase()))
      throw invalidValue(
        "The provided value is neither a valid value for this configuration (Options are: [true]) " +
          "NOR a valid value for this configuration (Options are: [false]).",
      );
  } else if (description.type === "Number" || description.type === "Decimal") {
    const shape = description.type === "Number" ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)$/;
    if (!shape.test(value)) throw invalidValue(`Value [${value || "null"}] is not a valid [class java.lang.${numberClass(description)}].`);
  } else if (description.name === "secstorage.allowed.internal.sites") {
    for (const cidr of value.split(",")) {
      const length = Number(cidr.split("/")[1] ?? 32);
      if (cidr !== "" && !(length >= 0 && length <= 32)) throw failed(`Invalid CIDR: ${cidr}`);
    }
  }
}

export const configurationCommands: Commands = {
  listConfigurations: {
    run(request) {
      const { name, keyword, category, group } = request.parameters;
      if (scopeParameters(request).length > 1) throw malformed(MANY);
      const scope = scopeOf(request)?.name;
      const found = settingsCatalogue.filter(
        (one) =>
          (scope === undefined || one.scope === scope) &&
          (name === undefined || one.name.includes(name)) &&
          (keyword === undefined || mentions(request, one, keyword)) &&
          (category === undefined || one.category === category) &&
          (group === undefined || one.group === group),
      );
      return listReply(
        request,
        "configuration",
        found.map((one) => settingReply(request, one)),
      );
    },
  },
  updateConfiguration: {
    run(request) {
      const description = known(request);
      const { value } = request.parameters;
      const scope = changedScope(request, description);
      checkValue(description, value);
      const { database } = request.cloud;
      if (scope) database.update(scope.object, { settings: { ...(scope.object.settings as object), [description.name]: value } });
      else database.set(description.name, value || null);
      return { configuration: settingReply(request, description) };
    },
  },
  resetConfiguration: {
    run(request) {
      const description = known(request);
      const scope = changedScope(request, description);
      const { database } = request.cloud;
      if (!scope) database.set(description.name, description.defaultvalue ?? null);
      else database.update(scope.object, { settings: { ...(scope.object.settings as object), [description.name]: undefined } });
      return { configuration: settingReply(request, description, scope ? { ...scope, name: scope.atReset } : undefined) };
    },
  },
};
