import { z } from "zod";
import { type Context, defineResource } from "../kernel/index.ts";
import { type Access, CloudStackClient } from "./client.ts";
import { connect } from "./connection.ts";
import { type CloudServer, machineSchema, server } from "./inputs.ts";
import { clearRestartMarker, type Machine, readRestartMarker, restartService } from "./service.ts";
import { type Server, Startup, serverStart } from "./startup.ts";

/**
 * One restart for all settings that need it, also for those of a run that was cut off before its restart.
 * @param after starts that must be over
 */
export async function restartIfNeeded(context: Context, machine: Server, access: Access, after: readonly string[] = []): Promise<void> {
  const marker = await readRestartMarker(context, machine);
  if (marker === undefined && after.length === 0) return;
  const start = await serverStart(new CloudStackClient(context, { address: machine.address, port: machine.ports.api }, access));
  if (start === "" || start === marker || after.includes(start)) {
    context.phase("restarting the service, for settings that are read at start only");
    context.touched();
    await restartService(context, machine, machine.startSeconds);
    const startup = new Startup(context, machine);
    if (machine.ports.open !== 0) await startup.api(machine.ports.open, { kind: "open" }, start);
    await startup.api(machine.ports.api, access, start);
  }
  if (marker !== undefined) await clearRestartMarker(context, machine);
}

export interface RestartInputs {
  server: CloudServer;
  machine?: Machine | undefined;
  settings: Record<string, string>;
  after: string[];
  startSeconds: number;
}

export interface RestartOutputs {
  start: string;
}

/** Without a machine nobody but the operator can restart it. */
function warnOfRestart(context: Context, { settings, after }: RestartInputs, start: string): void {
  if (!after.includes(start)) return;
  const names = Object.keys(settings).join(", ");
  context.warn(`settings that are read at start only were changed (among ${names}): restart the management server by hand`);
}

export const restart = defineResource<RestartInputs, RestartOutputs>({
  type: "cloudstack:Restart",
  summary: "One restart of the management server after all global settings, and only where one that is read at start only was changed.",
  inputs: z.object({
    ...server,
    machine: machineSchema.optional().describe("Its machine. Without it a restart that is needed is warned of, and left to the operator."),
    settings: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe("The global settings by name: a change of one is the occasion to look."),
    after: z
      .array(z.string())
      .default([])
      .describe(
        "The outputs `changedDuring` of the `GlobalSetting`s: the starts of the server that must be over for their values to be loaded.",
      ),
    startSeconds: z.number().int().positive().default(900).describe("Limit of the start, until everything answers."),
  }),
  outputs: { start: "When the server that has loaded them started, by its own account." },
  replaceOn: [],
  deadlineSeconds: 1800,
  id: (inputs) => `restart/${inputs.server.address}`,
  async observe(_, _inputs, previous) {
    return previous?.start === undefined ? undefined : { inputs: {}, outputs: { start: previous.start } };
  },
  async reconcile(context, inputs) {
    const { machine, startSeconds, server: place } = inputs;
    const { client, access } = await connect(context, place);
    const after = inputs.after.filter((one) => one !== "");
    if (machine) {
      const ports = { ...place.ports, database: 0 };
      await restartIfNeeded(context, { ...machine, address: machine.address, ports, startSeconds }, access, after);
    } else warnOfRestart(context, { ...inputs, after }, await serverStart(client));
    return { start: await serverStart(client) };
  },
  /** Nothing: a restart leaves nothing behind. */
  async remove() {},
});
