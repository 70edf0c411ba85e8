import { z } from "zod";
import { type Context, defineResource, errorText, rememberSecrets, TestbedError } from "../kernel/index.ts";
import { type Access, CloudStackClient, type Keys } from "./client.ts";
import { port, serviceSchema, sshSchema } from "./inputs.ts";
import { obtainKeys } from "./keys.ts";
import { restartIfNeeded } from "./restart.ts";
import { writeRestartMarker } from "./service.ts";
import { applySetting, differing, readSettings, type Setting } from "./settings.ts";
import { type Server, Startup, serverStart } from "./startup.ts";

export interface ManagementServerInputs extends Server {
  name: string;
  installation: string;
  release: string;
  settings: Record<string, string>;
  credential: string;
}

export interface ManagementServerOutputs extends Keys {
  userId: string;
  seenRelease: string;
  url: string;
}

/** Where a management server listens unless it is told otherwise. */
export const usualPorts = { api: 8080, open: 8096, database: 3306 };

/** `4.20` is every 4.20.x; `4.20.3.0` is also a build of it, as `4.20.3.0-SNAPSHOT`. */
export function isRelease(seen: string, wanted: string): boolean {
  return seen === wanted || seen.startsWith(`${wanted}.`) || seen.startsWith(`${wanted}-`);
}

function requireRelease(inputs: ManagementServerInputs, seen: string): void {
  if (isRelease(seen, inputs.release)) return;
  throw new TestbedError({
    system: `management server ${inputs.address}`,
    object: `release ${seen}`,
    kind: "conflict",
    code: "release",
    message: `expected ${inputs.release}, the release under test, but ${seen} runs`,
    remedy: "the packages under test were not installed: correct the build's address, then install the machine anew (a new generation)",
  });
}

function signedClient(context: Context, inputs: ManagementServerInputs, { apiKey, secretKey }: Keys): CloudStackClient {
  // Of a whole state only these: its names and addresses belong into errors.
  const keys = { apiKey, secretKey };
  rememberSecrets(keys);
  return new CloudStackClient(context, { address: inputs.address, port: inputs.ports.api }, { kind: "signed", ...keys });
}

type State = ManagementServerInputs & ManagementServerOutputs;

/** Who may ask for keys: everybody on the open port, else who has the keys already, else the administrator who logs in. */
function bootstrap(context: Context, inputs: ManagementServerInputs, previous: State | undefined): { port: number; access: Access } {
  if (inputs.ports.open !== 0) return { port: inputs.ports.open, access: { kind: "open" } };
  if (previous?.secretKey && previous.installation === inputs.installation)
    return { port: inputs.ports.api, access: { kind: "signed", apiKey: previous.apiKey, secretKey: previous.secretKey } };
  const { user = "", password = "" } = context.credential(inputs.credential);
  return { port: inputs.ports.api, access: { kind: "session", user, password } };
}

/** 8096 answers one to two seconds before 8080 listens; the release is checked before anything else is waited for. */
async function startAndGetKeys(
  context: Context,
  inputs: ManagementServerInputs,
  previous: State | undefined,
): Promise<Keys & { userId: string; seenRelease: string }> {
  const startup = new Startup(context, inputs);
  const { port: first, access } = bootstrap(context, inputs, previous);
  await startup.ssh();
  await startup.database();
  const seenRelease = await startup.api(first, access);
  requireRelease(inputs, seenRelease);
  const keys = await obtainKeys(new CloudStackClient(context, { address: inputs.address, port: first }, access));
  await startup.api(inputs.ports.api, { kind: "signed", apiKey: keys.apiKey, secretKey: keys.secretKey });
  return { ...keys, seenRelease };
}

async function applySettings(context: Context, inputs: ManagementServerInputs, client: CloudStackClient): Promise<void> {
  const changes = differing(inputs.settings, await readSettings(client, Object.keys(inputs.settings)));
  if (changes.length > 0) context.phase(`setting ${changes.map((one) => one.name).join(", ")}`);
  const readAtStart = (one: Setting) => one.isdynamic === false;
  if (changes.some(readAtStart)) await writeRestartMarker(context, inputs, (await serverStart(client)) || "unknown");
  for (const { name } of changes) await applySetting(client, name, inputs.settings[name] ?? "");
}

export const managementServer = defineResource<ManagementServerInputs, ManagementServerOutputs>({
  type: "cloudstack:ManagementServer",
  summary:
    "A CloudStack management server that is up, runs the release under test, has the wanted settings loaded, and whose keys are known.",
  inputs: z.object({
    name: z.string().min(1).describe("Host name."),
    address: z.ipv4().describe("Address of the machine."),
    installation: z.string().min(1).describe("Fingerprint of the install token of the machine: another one is another, empty cloud."),
    release: z
      .string()
      .regex(/^\d+(\.\d+)+\S*$/, "must be a release as `4.20` or `4.20.3.0`")
      .describe("The release under test; `4.20` means any 4.20.x."),
    settings: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe("Global settings by name. One that is left out later keeps its value."),
    ssh: sshSchema.describe("How the machine is reached."),
    service: serviceSchema.prefault({}).describe("The service on the machine."),
    ports: z
      .object({
        api: port.default(usualPorts.api).describe("The API, signed or in a session."),
        open: z
          .union([z.literal(0), port])
          .default(usualPorts.open)
          .describe("The open (integration) port. 0: it is closed, and keys are obtained by a login."),
        database: port.default(usualPorts.database).describe("The database."),
      })
      .prefault({})
      .describe("Where it listens."),
    credential: z
      .string()
      .default("cloudstack")
      .describe("Name of the credential (`user`, `password`) for the login; used only without open port."),
    startSeconds: z.number().positive().default(900).describe("Limit of one start, until everything answers."),
  }),
  outputs: {
    apiKey: "The administrator's API key.",
    secretKey: "Its secret key.",
    userId: "Id of the administrator.",
    seenRelease: "The release that runs, as it names itself.",
    url: "Address of the API.",
  },
  secretOutputs: ["apiKey", "secretKey"],
  replaceOn: ["name"],
  deadlineSeconds: 3600,
  id: (inputs) => `management-server/${inputs.name}`,
  async observe(context, inputs, previous) {
    if (!previous?.secretKey) return undefined;
    const { apiKey, secretKey, userId, seenRelease, url } = previous;
    const known: ManagementServerOutputs = { apiKey, secretKey, userId, seenRelease, url };
    try {
      const client = signedClient(context, inputs, previous);
      const { capability } = await client.once("listCapabilities");
      const seen = String((capability as { cloudstackversion?: string }).cloudstackversion);
      const settings = await readSettings(client, Object.keys(inputs.settings));
      return {
        inputs: {
          settings: Object.fromEntries(settings.map((one) => [one.name, one.value ?? ""])),
          ...(isRelease(seen, inputs.release) ? {} : { release: seen }),
        },
        outputs: { ...known, seenRelease: seen },
      };
    } catch (error) {
      // Somebody made other keys, or it is another cloud: the next `up` reads them anew.
      if (error instanceof TestbedError && error.code === "401") return { inputs: { installation: "refuses our keys" }, outputs: known };
      // Off or starting is not gone: the state stays as it is.
      if (context.operation === "read") context.warn(`cannot be looked at (${errorText(error)}); what was seen last stays`);
      return { inputs: {}, outputs: known };
    }
  },
  async reconcile(context, inputs, _, previous) {
    const { seenRelease, ...keys } = await startAndGetKeys(context, inputs, previous);
    await applySettings(context, inputs, signedClient(context, inputs, keys));
    await restartIfNeeded(context, inputs, { kind: "signed", apiKey: keys.apiKey, secretKey: keys.secretKey });
    return { ...keys, seenRelease, url: `http://${inputs.address}:${inputs.ports.api}/client/api` };
  },
  /** Nothing: it dies with its machine. */
  async remove() {},
});
