import { z } from "zod";
import { hostKeyPattern } from "../transport/host-key.ts";

export const port = z.number().int().min(1).max(65535);

/** How a management server is reached by everything that lives in its cloud. */
export const serverSchema = z.object({
  address: z.string().min(1).describe("Name or address of the management server."),
  ports: z
    .object({
      api: port.default(8080).describe("The API, signed or in a session."),
      open: z
        .union([z.literal(0), port])
        .default(8096)
        .describe("The open (integration) port, asked for the administrator's keys only. 0: it is closed."),
    })
    .prefault({})
    .describe("Where it listens."),
  credential: z
    .string()
    .default("cloudstack")
    .describe(
      "Name of the credential: `apiKey` and `secretKey`, or `user` and `password` for a login. It may be missing where the open port answers.",
    ),
  installation: z
    .string()
    .optional()
    .describe(
      "Fingerprint of the install token of its machine: another one is another, empty cloud. Left out for a server of somebody else.",
    ),
});
export type CloudServer = z.infer<typeof serverSchema>;

export const server = { server: serverSchema.describe("The management server.") };

/** Names of the cloud's objects; the server keeps at most 255 characters. */
export const objectName = z.string().min(1).max(255);

export const zoneName = objectName.describe("Name of the zone that it is in.");
export const podName = objectName.describe("Name of its pod.");
export const clusterName = objectName.describe("Name of its cluster.");
export const physicalNetworkName = objectName.describe("Name of the physical network that it is on.");

export const address = z.ipv4("must be an IPv4 address");
export const netmask = address.refine((mask) => {
  const bits = mask.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  // Of a netmask's complement, plus one, only one bit is set.
  return bits > 0 && Number.isInteger(Math.log2(2 ** 32 - bits));
}, "must be a netmask");

export const allocation = z.enum(["Enabled", "Disabled"]).default("Enabled");

/** How the machine of a management server is reached. */
export const sshSchema = z.object({
  user: z.string().default("root").describe("The account."),
  hostKey: z
    .string()
    .regex(hostKeyPattern, "must be a public key line (`ssh-ed25519 AAAA…`) or a fingerprint (`SHA256:…`)")
    .describe("The pinned host key, as the proof of the installation gave it."),
  credential: z.string().default("hosts").describe("Name of the credential (`privateKey`) in the stack configuration."),
});

export const serviceSchema = z.object({
  restart: z
    .array(z.string())
    .min(1)
    .default(["systemctl", "restart", "cloudstack-management"])
    .describe("The command that restarts it, with its arguments."),
  log: z
    .string()
    .startsWith("/")
    .default("/var/log/cloudstack/management/management-server.log")
    .describe("Its log, whose last lines are shown when it does not come up."),
});

/** The machine of a management server that may be restarted. */
export const machineSchema = z.object({
  address: z.ipv4().describe("Its address."),
  ssh: sshSchema.describe("How it is reached."),
  service: serviceSchema.prefault({}).describe("The service on it."),
});

/** Details as the server takes them, key by key. */
export const details = z.record(z.string().min(1), z.string()).default({});
