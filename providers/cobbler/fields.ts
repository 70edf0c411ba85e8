import { z } from "zod";
import { connectionSchema } from "./connection.ts";

/** Cobbler accepts no other characters in names (cobbler facts §5). */
export const objectName = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]+$/, "may hold letters, digits and _ - . : only")
  .describe("The object's name.");

export const common = {
  server: connectionSchema.describe("The cobbler server."),
  name: objectName,
  adopt: z.boolean().default(false).describe("Take over an object of this name that carries nobody's mark."),
};

/** Kernel options and answer-file variables: a flag without a value is the empty text. */
export const options = z.record(z.string(), z.string()).default({});

/** The server's dictionaries as ours: numbers and its "~" for nothing become text. */
export function textRecord(value: unknown): Record<string, string> {
  if (value === null || typeof value !== "object") return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inner === "~" ? "" : String(inner)]));
}

export function textList(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
