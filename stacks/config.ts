import { z } from "zod";

const project = "cloudstack-testbed:";

/** Encrypted values stand in the file as `{ secure: … }`. */
const secure = z.strictObject({ secure: z.string() });

/** What of `Pulumi.<stack>.yaml` is ours. */
export const stackFileSchema = z.looseObject({
  config: z.strictObject({
    [`${project}site`]: z.string(),
    [`${project}marvin`]: z.string(),
    [`${project}hypervisor`]: z.string(),
    [`${project}profiles`]: z.record(z.string(), z.string()),
    [`${project}generation`]: z.coerce.string(),
    [`${project}generations`]: z.record(z.string(), z.coerce.string()).default({}),
    [`${project}cloudstack`]: z.strictObject({
      release: z.coerce.string(),
      packages: z.string().optional(),
      systemVmTemplate: z.strictObject({ url: z.url(), sha256: z.string() }).optional(),
    }),
    [`${project}managementServer`]: z.strictObject({ distro: z.string() }).optional(),
    [`${project}limits`]: z.record(z.string(), z.number().positive()).default({}),
    [`${project}credentials`]: z.record(z.string(), z.record(z.string(), z.union([secure, z.string()]))).default({}),
  }),
});

export interface StackConfiguration {
  stack: string;
  site: string;
  marvin: string;
  hypervisor: string;
  /** Profile by hypervisor, as marvin spells it. */
  profiles: Record<string, string>;
  generation: string;
  /** Generation of single machines, by name. */
  generations: Record<string, string>;
  cloudstack: { release: string };
  /** Credential names with the fields that are set, and whether each is encrypted. */
  credentials: Record<string, Record<string, "encrypted" | "clear">>;
}

export function stackConfiguration(stack: string, file: z.infer<typeof stackFileSchema>): StackConfiguration {
  const of = <T>(key: string) => (file.config as Record<string, unknown>)[project + key] as T;
  const credentials = of<Record<string, Record<string, unknown>>>("credentials");
  return {
    stack,
    site: of("site"),
    marvin: of("marvin"),
    hypervisor: of("hypervisor"),
    profiles: of("profiles"),
    generation: of("generation"),
    generations: of("generations"),
    cloudstack: of("cloudstack"),
    credentials: Object.fromEntries(
      Object.entries(credentials).map(([name, fields]) => [
        name,
        Object.fromEntries(
          Object.entries(fields).map(([field, value]) => [field, typeof value === "string" ? "clear" : "encrypted"] as const),
        ),
      ]),
    ),
  };
}
