import { configPath, type StackConfiguration } from "../config.ts";
import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { placeholder } from "../plan-parts.ts";
import { type Found, isRecord, lookup } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/** Whether every credential that the site needs is set. */
export function checkSecrets(inventory: Found<Inventory>, config: Found<StackConfiguration>, source: Source): Finding[] {
  const { findings, add } = collector();
  const needed = new Map<string, Set<string>>();
  const need = (credential: string | undefined, ...fields: string[]) => {
    if (credential === undefined) return;
    needed.set(credential, new Set([...(needed.get(credential) ?? []), ...fields]));
  };
  need(inventory.driver?.ssh?.credential, "privateKey");
  need(inventory.driver?.cobbler?.credential, "user", "password");
  need("hosts", "user", "privateKey");
  for (const server of Object.values(inventory.nfsServers ?? {})) need(server.ssh?.credential, "privateKey");
  for (const server of Object.values(inventory.xenServers ?? {})) need(server.credential, "user", "password");
  for (const machine of Object.values(inventory.machines ?? {})) need(machine.bmc?.credential, "user", "password");
  for (const [name, fields] of needed)
    for (const field of fields) if (!isSet(config, name, field)) add(source, "TB130", configPath("credentials"), missing(name, field));
  return findings;
}

export function isSet(config: Found<StackConfiguration>, credential: string, field: string): boolean {
  return lookup(lookup(config.credentials ?? {}, credential) ?? {}, field) !== undefined;
}

/** The text of a finding about a secret that is not in the stack file. */
export function missing(credential: string, field: string, why = "a system of the site cannot be reached without it") {
  return {
    what: `the secret credentials.${credential}.${field} is missing`,
    why,
    remedy: `pulumi config set --secret --path credentials.${credential}.${field}`,
  };
}

/** Whether every placeholder of a marvin file names a secret of the stack. */
export function checkPlaceholders(source: Source, config: Found<StackConfiguration>): Finding[] {
  const { findings, add } = collector();
  for (const { value, path } of texts(source.value)) {
    const named = placeholder(value);
    if (!named || isSet(config, named.credential, named.field)) continue;
    const { credential: name, field } = named;
    add(source, "TB130", path, {
      what: `the placeholder ${value} has no secret: credentials.${name}.${field} is missing in the stack file`,
      why: "nothing could be filled in",
      remedy: `pulumi config set --secret --path credentials.${name}.${field}, or correct the placeholder`,
    });
  }
  return findings;
}

const SECRET_KEY =
  /^(?!.*(template|file|path|url|name)$).*(passw(or)?d|passphrase|secret|token|private_?key|security_?key|api_?key|secret_?key|access_?key)s?$/i;
/** A placeholder, or the crypt(3) hash of a password: both may be read by anyone who may read the file. */
const HARMLESS = /^(\$\{.+\}|\$(1|5|6|y|2[aby])\$.+|[!*]+)$/;

/** Whether a file holds a password, a key or a token that everybody can read. */
export function checkClearText(source: Source, kind: "inventory" | "marvin" | "stack"): Finding[] {
  const { findings, add } = collector();
  for (const { value, path } of texts(source.value)) {
    const key = String(path.at(-1) ?? "");
    const isCredential = kind === "stack" && path[1] === "cloudstack-testbed:credentials" && path.length === 4 && key !== "user";
    const byKey = SECRET_KEY.test(key) && value !== "" && !HARMLESS.test(value);
    const byText = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value) || /^\w+:\/\/[^/@\s:]+:[^/@\s]+@/.test(value);
    if (!isCredential && !byKey && !byText) continue;
    add(source, "TB131", path, {
      severity: kind === "marvin" ? "warning" : "error",
      what: `${path
        .slice(kind === "stack" ? 1 : 0)
        .join(".")
        .replace("cloudstack-testbed:", "")} stands in clear text`,
      why: "everybody who can read the repository has it",
      remedy: remedy(kind, path),
    });
  }
  return findings;
}

function remedy(kind: "inventory" | "marvin" | "stack", path: Path): string {
  if (kind === "marvin")
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder itself that is shown
    return "write a placeholder like ${hosts.password}; the stack's encrypted configuration fills it in";
  if (kind === "inventory") return "change it, encrypt it in the stack's configuration, and name it here by its `credential`";
  return `change it, then pulumi config set --secret --path ${path.slice(1).join(".").replace("cloudstack-testbed:", "")}`;
}

/** Every text of a file, with its path. Encrypted values (`{ secure: … }`) are none. */
function texts(value: unknown, path: Path = []): { value: string; path: Path }[] {
  if (typeof value === "string") return [{ value, path }];
  if (typeof value === "number") return [{ value: String(value), path }];
  if (Array.isArray(value)) return value.flatMap((one, index) => texts(one, [...path, index]));
  if (!isRecord(value) || (Object.keys(value).length === 1 && typeof value.secure === "string")) return [];
  return Object.entries(value).flatMap(([key, one]) => texts(one, [...path, key]));
}
