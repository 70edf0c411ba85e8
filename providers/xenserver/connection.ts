import { z } from "zod";

const fingerprint = z
  .string()
  .regex(/^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/, "must be the SHA-256 of a certificate: 32 hexadecimal bytes, with or without colons");

/** How a XenServer or XCP-ng is reached: the host itself, or the coordinator of its pool. */
export const connectionSchema = z.object({
  address: z.string().min(1).describe("Its name or address."),
  port: z.number().int().min(1).max(65535).default(443).describe("Port of its API."),
  tlsSha256: fingerprint.describe("SHA-256 of its certificate; another one is never spoken to."),
  credential: z.string().default("xenserver").describe("Name of the credential (`user`, `password`) in the stack configuration."),
  members: z
    .record(z.string(), fingerprint)
    .default({})
    .describe(
      "Other hosts of its pool and the SHA-256 of their certificates: where it names one of them its coordinator, that one is asked.",
    ),
  timeoutSeconds: z.number().positive().default(60).describe("Seconds one call may take; a refused login alone takes 5."),
});

export type XenServerConnection = z.infer<typeof connectionSchema>;
