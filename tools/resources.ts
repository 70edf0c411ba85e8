// Prints docs/resources.md: node tools/resources.ts >docs/resources.md
import { z } from "zod";
import { allDefinitions, type Definition } from "../providers/kernel/index.ts";
import { loadEverySystem } from "../providers/runtime.ts";

await loadEverySystem();

/** The parts of a JSON schema that the page shows. */
interface Shape {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minItems?: number;
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  additionalProperties?: Shape | boolean;
  anyOf?: Shape[];
  /** From `.meta({ secret: true })` and `.meta({ unit: "…" })` of a field. */
  secret?: boolean;
  unit?: string;
}

export interface ArgumentRow {
  /** Path of the argument: `bmc.port`, `interfaces[].mac`. */
  path: string;
  shape: string;
  unit: string;
  /** As JSON; "required" where there is none, "optional" where it may be left out. */
  fallback: string;
  secret: boolean;
  replaces: boolean;
  description: string;
}

const formats: Record<string, string> = { ipv4: "IPv4 address", ipv6: "IPv6 address", uri: "URL", hostname: "host name", uuid: "UUID" };

/** Zod writes JavaScript's largest integer where no limit was set. */
const isLimit = (value: number | undefined): value is number => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

/** A shape in words: `integer > 0`, `` `off` or `leave` ``, `list of text`. */
export function shapeText(shape: Shape): string {
  if (shape.anyOf) return shape.anyOf.map(shapeText).join(" or ");
  if (Array.isArray(shape.type)) return shape.type.map((type) => shapeText({ ...shape, type })).join(" or ");
  if (shape.const !== undefined) return `\`${shape.const}\``;
  if (shape.enum) return shape.enum.map((value) => `\`${value}\``).join(" or ");
  if (shape.type === "array") return `${(shape.minItems ?? 0) > 0 ? "non-empty " : ""}list of ${shapeText(shape.items ?? {})}`;
  if (shape.type === "object") return typeof shape.additionalProperties === "object" ? recordText(shape.additionalProperties) : "object";
  if (shape.type === "integer" || shape.type === "number") return numberText(shape);
  if (shape.type === "boolean") return "true or false";
  if (shape.format && formats[shape.format]) return formats[shape.format] as string;
  // A pattern only says what its own zod message says better; the page shows those that a reader can check by eye.
  return shape.pattern && shape.pattern.length <= 48 ? `text like \`/${shape.pattern}/\`` : "text";
}

function recordText(value: Shape): string {
  return `map of name to ${shapeText(value)}`;
}

function numberText(shape: Shape): string {
  const limits = [
    isLimit(shape.exclusiveMinimum) ? `> ${shape.exclusiveMinimum}` : "",
    isLimit(shape.minimum) ? `≥ ${shape.minimum}` : "",
    isLimit(shape.maximum) ? `≤ ${shape.maximum}` : "",
  ];
  return [shape.type, limits.filter(Boolean).join(", ")].filter(Boolean).join(" ");
}

/** The unit that a name or its own description states. */
function unitOf(name: string, shape: Shape): string {
  return shape.unit ?? (/seconds$/i.test(name) ? "seconds" : /bytes$/i.test(name) ? "bytes" : "");
}

/** Every argument of a resource, nested ones below their parents. */
export function argumentRows(definition: Definition): ArgumentRow[] {
  const schema = z.toJSONSchema(definition.inputs, { io: "input", unrepresentable: "any" }) as Shape;
  const rows: ArgumentRow[] = [];
  const walk = (parent: Shape, prefix: string, replaces: boolean): void => {
    for (const [name, shape] of Object.entries(parent.properties ?? {})) {
      const replacing = replaces || (prefix === "" && (definition.replaceOn as readonly string[]).includes(name));
      rows.push({
        path: prefix + name,
        shape: shapeText(shape),
        unit: unitOf(name, shape),
        fallback: fallbackOf(name, shape, parent),
        secret: shape.secret === true,
        replaces: replacing,
        description: shape.description ?? "",
      });
      if (shape.items?.properties) walk(shape.items, `${prefix}${name}[].`, replacing);
      else walk(shape, `${prefix}${name}.`, replacing);
    }
  };
  walk(schema, "", false);
  return rows;
}

function fallbackOf(name: string, shape: Shape, parent: Shape): string {
  if (shape.default !== undefined) return `\`${JSON.stringify(shape.default)}\``;
  return parent.required?.includes(name) ? "required" : "optional";
}

/** Nothing in a cell may end it. */
const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function resourceSection(definition: Definition): string {
  const rows = argumentRows(definition).map(
    (row) =>
      `| \`${row.path}\` | ${cell(row.shape)} | ${row.unit} | ${cell(row.fallback)} | ${row.secret ? "yes" : "no"} | ${row.replaces ? "yes" : "no"} | ${cell(row.description)} |`,
  );
  const secrets: readonly string[] = definition.secretOutputs ?? [];
  const outputs = Object.entries(definition.outputs).map(
    ([name, text]) => `| \`${name}\` | ${secrets.includes(name) ? "yes" : "no"} | ${cell(text)} |`,
  );
  return `## ${definition.type}

${definition.summary}

Limit of one operation: ${definition.deadlineSeconds} seconds, unless \`limits.operations["${definition.type}"]\` of the stack configuration says otherwise.
${definition.replaceOn.length > 0 ? `A change of ${definition.replaceOn.map((name) => `\`${name}\``).join(" or ")} replaces it: the old object is deleted first.` : "Every change is an update in place."}

| argument | shape | unit | default | secret | replaces | meaning |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

| output | secret | meaning |
| --- | --- | --- |
${outputs.join("\n")}
`;
}

export function resourcesPage(): string {
  return `# Resources

Every resource of \`providers/\`, from the definitions that the providers themselves work by. (Made by \`node tools/resources.ts\`.)

A secret is no argument: one named \`credential\` holds the *name* of a credential, whose fields stand encrypted in the stack
configuration (\`pulumi config set --secret --path credentials.<name>.<field>\`). A changed secret therefore changes no resource. An
output that is a secret, because the server made it, is encrypted in the state. What one argument's change replaces says the column
*replaces*; every other change is an update in place.

${allDefinitions().map(resourceSection).join("\n")}`;
}

if (import.meta.main) process.stdout.write(resourcesPage());
