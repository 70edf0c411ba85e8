import { type SettingDescription, settingsCatalogue } from "../catalogue.ts";
import type { Commands, Request } from "../command.ts";
import { listReply } from "../command.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";

/** Settings with a scope of their own belong to objects, which an empty cloud has none of. */
const scopes = ["zoneid", "clusterid", "storageid", "accountid", "domainid", "imagestoreuuid"];

function settingReply({ cloud }: Request, description: SettingDescription): Reply {
  const { value: _, ...fields } = description;
  const value = cloud.stored(description.name);
  return { ...fields, ...(value === undefined ? {} : { value }) };
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
      const found = settingsCatalogue.filter(
        (one) =>
          (name === undefined || one.name === name) &&
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
      if (scopes.some((scope) => request.parameters[scope] !== undefined))
        throw invalidValue(`Invalid scope id provided for the parameter ${description.name}`);
      checkValue(description, value);
      request.cloud.database.set(description.name, value || null);
      return { configuration: settingReply(request, description) };
    },
  },
  resetConfiguration: {
    run(request) {
      const description = known(request);
      request.cloud.database.set(description.name, description.defaultvalue ?? null);
      return { configuration: settingReply(request, description) };
    },
  },
};
