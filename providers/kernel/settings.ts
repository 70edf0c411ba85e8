import { TestbedError } from "./errors.ts";
import { rememberSecrets } from "./redact.ts";

/** What the provider process knows from the stack configuration. */
export interface Settings {
  credentials: Record<string, Record<string, string>>;
  /** Deadlines in seconds by resource type: `limits.operations` of the stack configuration. */
  limits: Record<string, number>;
}

interface ConfigureRequest {
  config: { get(key: string): string | undefined };
}

let resolveSettings: (settings: Settings) => void;
// The engine calls other methods of a provider while its configure still runs (pulumi-dynamic facts §5): every
// operation awaits this one promise instead.
const configured = new Promise<Settings>((resolve) => {
  resolveSettings = resolve;
});

export function configure(request: ConfigureRequest): void {
  const credentials = parseObject(request, "credentials") as Settings["credentials"];
  const { operations: limits = {} } = parseObject(request, "limits") as { operations?: Settings["limits"] };
  // A user name is no secret, and hiding it by value would tear holes into ordinary words.
  for (const { user: _, ...secrets } of Object.values(credentials)) rememberSecrets(secrets);
  resolveSettings({ credentials, limits });
}

export function settings(): Promise<Settings> {
  return configured;
}

function parseObject(request: ConfigureRequest, key: string): Record<string, unknown> {
  // With the prefix: a bare key gets that of the project in the process's environment, which is the engine's to set.
  const text = request.config.get(`cloudstack-testbed:${key}`);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // The text may hold secrets: it is not quoted.
    throw new TestbedError({
      system: "the stack configuration",
      object: `cloudstack-testbed:${key}`,
      kind: "invalid",
      message: "expected an object, but the value is not JSON",
      remedy: `set its members with \`pulumi config set --path ${key}.<name>\``,
    });
  }
}

export function credential(known: Settings, name: string): Record<string, string> {
  const found = known.credentials[name];
  if (!found) {
    throw new TestbedError({
      system: "the stack configuration",
      object: `credential ${name}`,
      kind: "invalid",
      message: `is not set; set are: ${Object.keys(known.credentials).join(", ") || "none"}`,
      remedy: `run \`pulumi config set --secret --path credentials.${name}.<field>\``,
    });
  }
  return found;
}
