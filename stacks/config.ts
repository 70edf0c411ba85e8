import { z } from "zod";
import type { Inventory } from "./inventory.ts";
import { type Found, isRecord } from "./schema.ts";
import type { Path } from "./sources/index.ts";

const project = "cloudstack-testbed:";

/** Encrypted values stand in the file as `{ secure: … }`. */
const secure = z.strictObject({ secure: z.string() });
/** Numbers without quotes are texts here: YAML reads `generation: 12` as a number. */
const text = z.union([z.string().min(1, "must not be empty"), z.number().transform(String)], "must be a text");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/i, "must be a SHA-256: 64 hexadecimal digits");
const limit = z.number().positive().optional();
const noLicence = { adopt: false, destroyGuests: false };

const keys = {
  site: z.string().regex(/^[\w-][\w.-]*$/, "must be the name of a folder of environments/"),
  marvin: z.string().regex(/^[\w-][\w.-]*\.cfg$/, "must be the name of a *.cfg file in the site's folder"),
  hypervisor: z.string().min(1),
  profiles: z.record(z.string(), z.string()).default({}),
  generation: text,
  generations: z.record(z.string(), text).default({}),
  cloudstack: z.strictObject({
    release: text,
    packages: z.url("must be the address of a package repository or build").optional(),
    systemVmTemplate: z.strictObject({ url: z.url(), sha256 }).optional(),
  }),
  managementServer: z.strictObject({ profile: z.string() }).optional(),
  cloud: z.strictObject({ adopt: z.boolean().default(false), destroyGuests: z.boolean().default(false) }).default(noLicence),
  logLevel: z.enum(["debug", "info", "warning", "error"]).optional(),
  limits: z
    .strictObject({
      simultaneousInstalls: z.number().int().positive().optional(),
      bmcPacingSeconds: z.number().nonnegative().optional(),
      installSeconds: limit,
      runSeconds: z.number().int().positive().optional(),
      startSeconds: limit,
      operations: z.record(z.string().regex(/^[a-z]+:[A-Z]\w+$/, "must be a type of docs/resources.md"), z.number().positive()).optional(),
    })
    .default({}),
  credentials: z.record(z.string(), z.record(z.string(), z.union([secure, text]))).default({}),
};

type Keys = typeof keys;
const shape = Object.fromEntries(Object.entries(keys).map(([key, schema]) => [project + key, schema])) as {
  [K in keyof Keys as `cloudstack-testbed:${K & string}`]: Keys[K];
};

/** What of `Pulumi.<stack>.yaml` is ours. */
export const stackFileSchema = z.looseObject({ config: z.strictObject(shape) });

export type StackFile = z.infer<typeof stackFileSchema>;

/** The configuration of one stack, without the texts of its secrets. */
export interface StackConfiguration {
  stack: string;
  site: string;
  /** Name of the marvin file in the site's folder. */
  marvin: string;
  /** The hypervisor that the environment is for. */
  hypervisor: string;
  /** Profile by hypervisor. */
  profiles: Record<string, string>;
  generation: string;
  /** Generation of single machines, by name. */
  generations: Record<string, string>;
  /** Which CloudStack is under test. */
  cloudstack: { release: string; packages?: string | undefined; systemVmTemplate?: { url: string; sha256: string } | undefined };
  /** What the management server's machine is installed with. */
  managementServer?: { profile: string } | undefined;
  /** Whether zones that carry nobody's mark may be taken over, and whether users' VMs may be destroyed with the cloud. */
  cloud: { adopt: boolean; destroyGuests: boolean };
  logLevel?: "debug" | "info" | "warning" | "error" | undefined;
  /** Override the inventory's. */
  limits: { [K in keyof Inventory["limits"]]?: number | undefined };
  /** Credential names with the fields that are set, and whether each is encrypted. */
  credentials: Record<string, Record<string, "encrypted" | "clear">>;
}

/** Where a key of ours stands in the stack file. */
export function configPath(key: keyof Keys): Path {
  return ["config", project + key];
}

/** Takes a stack file apart. Of a file with faults of form, what is left. */
export function stackConfiguration(stack: string, file: StackFile): StackConfiguration;
export function stackConfiguration(stack: string, file: Found<StackFile>): Found<StackConfiguration>;
export function stackConfiguration(stack: string, file: Found<StackFile>): Found<StackConfiguration> {
  const of = (key: keyof Keys) => file.config?.[`${project}${key}` as never] as never;
  return {
    stack,
    site: of("site"),
    marvin: of("marvin"),
    hypervisor: of("hypervisor"),
    profiles: of("profiles"),
    generation: of("generation"),
    generations: of("generations"),
    cloudstack: of("cloudstack"),
    managementServer: of("managementServer"),
    cloud: of("cloud"),
    logLevel: of("logLevel"),
    limits: of("limits"),
    credentials: credentialForms(of("credentials")),
  };
}

function credentialForms(credentials: unknown): StackConfiguration["credentials"] {
  if (!isRecord(credentials)) return {};
  const forms = Object.entries(credentials).map(([name, fields]) => [
    name,
    Object.fromEntries(
      Object.entries(isRecord(fields) ? fields : {}).map(([field, value]) => [field, isRecord(value) ? "encrypted" : "clear"]),
    ),
  ]);
  return Object.fromEntries(forms);
}

/** The profile for a hypervisor. CloudStack does not mind the case of a hypervisor's name. */
export function profileFor(profiles: Record<string, string>, hypervisor: string): string | undefined {
  return Object.entries(profiles).find(([name]) => name.toLowerCase() === hypervisor.toLowerCase())?.[1];
}
