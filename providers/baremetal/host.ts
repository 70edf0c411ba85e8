import { randomBytes } from "node:crypto";
import { z } from "zod";
import { connectionSchema, endInstall, installState } from "../cobbler/index.ts";
import { type Context, defineResource, errorText, limiter, TestbedError } from "../kernel/index.ts";
import { driverSchema } from "../site/index.ts";
import { install } from "./install.ts";
import {
  differences,
  type HostInputs,
  type HostOutputs,
  identityOf,
  outputs,
  powerOf,
  tokenFingerprint,
  wantedInstallation,
} from "./machine.ts";

/**
 * An installation of an earlier run whose state was lost: cobbler's token is on the host, and the token names what it was made for.
 * Such a host is left alone.
 */
async function adoptable(context: Context, inputs: HostInputs): Promise<HostOutputs | undefined> {
  const state = await installState(context, inputs.cobbler, inputs.system);
  if (!state?.token || state.netbootEnabled || state.generation !== inputs.generation || !state.token.endsWith(`-${inputs.installs}`))
    return undefined;
  const found = await look(context, inputs, state.token);
  if (typeof found === "object") return found;
  context.warn(`cobbler knows an installation of this generation, but ${found}: the machine is installed afresh`);
  return undefined;
}

/** The proved installation, or why what is there is not it. */
async function look(context: Context, inputs: HostInputs, token: string): Promise<HostOutputs | string> {
  try {
    const seen = await identityOf(context, inputs);
    if (seen.token !== token) return "another system answers";
    const wrong = differences(inputs, seen);
    return wrong.length > 0 ? `it is not the wanted one (${wrong.join("; ")})` : outputs(inputs, seen, []);
  } catch (error) {
    return `it does not answer (${errorText(error)})`;
  }
}

export const host = defineResource<HostInputs, HostOutputs>({
  type: "baremetal:Host",
  summary: "A physical machine that runs the wanted installation, and has proved it over SSH with the installation's own token.",
  inputs: z.object({
    name: z.string().describe("Host name."),
    address: z.ipv4().describe("Address of the installed system."),
    mac: z
      .string()
      .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be six lower-case hexadecimal bytes with colons")
      .describe("MAC address of the interface that boots, as the driver's logs name it."),
    bmc: z
      .object({
        address: z.ipv4(),
        port: z.number().int().positive().default(623),
        credential: z.string().default("bmc"),
        cipherSuite: z.number().int().positive("suite 0 has no security").default(17),
        pacingSeconds: z.number().nonnegative().default(5),
        via: driverSchema.optional().describe("The driver, where the BMC is reached only from there: ipmitool then runs on it."),
      })
      .describe("The management controller, spoken to by IPMI 2.0."),
    cobbler: connectionSchema.describe("The cobbler server that installs it."),
    system: z.string().describe("Name of its cobbler system."),
    profile: z.string().describe("The profile that must be installed."),
    os: z.object({ id: z.string(), version: z.string() }).describe("What /etc/os-release must say: ID and VERSION_ID."),
    generation: z.string().min(1).describe("A new generation means a new installation."),
    installs: z.string().describe("Fingerprint of what the profile installs; a change means a new installation."),
    ssh: z.object({ user: z.string(), credential: z.string() }).describe("Account of the installed system."),
    logs: z
      .object({
        server: driverSchema,
        dnsmasq: z.string().startsWith("/").optional(),
        web: z.string().startsWith("/").optional(),
      })
      .optional()
      .describe("The driver's logs of dnsmasq and of cobbler's web server: they tell how far a network boot got. None are needed."),
    onDelete: z.enum(["off", "leave"]).default("off").describe("Whether the machine is powered off when it leaves the environment."),
    installSeconds: z.number().positive().default(1800).describe("Limit of one installation, from power on to the proof."),
    powerSeconds: z
      .number()
      .positive()
      .default(60)
      .describe("Limit of one power change until the BMC reports it, and of the tries with a BMC that is busy or silent."),
    simultaneousInstalls: z.number().int().positive().default(8).describe("How many machines the driver may install at the same time."),
  }),
  outputs: {
    tokenFingerprint: "First 16 hexadecimal digits of the SHA-256 of the install token.",
    hostKey: "The SSH host key, pinned since the proof.",
    osRelease: "ID and VERSION_ID of /etc/os-release.",
    installedAt: "When the installation was proved (ISO 8601, UTC).",
    installed: "Generation, profile and fingerprint of the proved installation.",
    phases: "Phases of the installation with their seconds.",
  },
  replaceOn: ["name", "system"],
  deadlineSeconds: 5400,
  id: (inputs) => `host/${inputs.name}`,
  async observe(context, inputs, previous) {
    if (!previous?.hostKey) {
      const found = await adoptable(context, inputs);
      return found ? { inputs: {}, outputs: found } : undefined;
    }
    const known: HostOutputs = {
      tokenFingerprint: previous.tokenFingerprint,
      hostKey: previous.hostKey,
      osRelease: previous.osRelease,
      installedAt: previous.installedAt,
      installed: previous.installed,
      phases: previous.phases,
    };
    // It will be installed anew in any case: what runs now, and whether it answers, does not matter.
    if (context.operation === "update" && wantedInstallation(inputs) !== previous.installed) return { inputs: {}, outputs: known };
    try {
      const seen = await identityOf(context, inputs, previous.hostKey);
      const same = tokenFingerprint(seen.token) === previous.tokenFingerprint;
      // Another installation than the proved one: drift of the generation, which the next `up` mends by installing.
      return {
        inputs: same ? {} : { generation: `not proved (${seen.generation || "no token"})` },
        outputs: same ? known : { ...known, installed: "" },
      };
    } catch (error) {
      if (error instanceof TestbedError && error.kind === "conflict")
        return { inputs: { generation: "not proved (another host key)" }, outputs: { ...known, installed: "" } };
      // Off or cut off is not gone: the state stays as it is.
      if (context.operation === "read") context.warn(`cannot be looked at (${errorText(error)}); the last proof stays`);
      return { inputs: {}, outputs: known };
    }
  },
  async reconcile(context, inputs, observed) {
    if (observed && observed.outputs.installed === wantedInstallation(inputs)) return observed.outputs;
    const token = `${randomBytes(16).toString("hex")}-${inputs.installs}`;
    return limiter(`installs by ${inputs.cobbler.url}`, inputs.simultaneousInstalls)(() => install(context, inputs, token));
  },
  async remove(context, state) {
    if (!(await endInstall(context, state.cobbler, state.system))) {
      context.warn(`the system ${state.system} belongs to another stack by now: the machine was left as it is`);
      return;
    }
    if (state.onDelete === "leave") return;
    context.phase("powering off");
    await powerOf(context, state).set("off");
  },
});
