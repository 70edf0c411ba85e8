import { z } from "zod";
import { type Context, defineResource, errorText, TestbedError } from "../kernel/index.ts";
import { connect } from "./connection.ts";
import { type CloudServer, machineSchema, server } from "./inputs.ts";
import { type Machine, writeRestartMarker } from "./service.ts";
import { applySetting, readSettings, type Setting } from "./settings.ts";
import { serverStart } from "./startup.ts";

export interface GlobalSettingInputs {
  server: CloudServer;
  name: string;
  value: string;
  machine?: Machine | undefined;
}

export interface GlobalSettingOutputs {
  previousValue: string;
  changedDuring: string;
}

type State = GlobalSettingInputs & GlobalSettingOutputs;

async function read(context: Context, inputs: GlobalSettingInputs): Promise<Setting> {
  const { client } = await connect(context, inputs.server);
  const [setting] = await readSettings(client, [inputs.name]);
  return setting as Setting;
}

/** Sets it. Gives the start of the server that must be over for the value to be loaded; empty for a dynamic one. */
async function change(context: Context, inputs: GlobalSettingInputs, setting: Setting, value: string): Promise<string> {
  const { client } = await connect(context, inputs.server);
  const start = setting.isdynamic === false ? (await serverStart(client)) || "unknown" : "";
  // Before the change: a run that is cut off in between leaves the restart to the next one.
  if (start && inputs.machine) await writeRestartMarker(context, inputs.machine, start);
  await applySetting(client, inputs.name, value);
  return start;
}

/** The value of before this stack: of the same cloud, the one that was kept. */
function valueBefore(inputs: GlobalSettingInputs, setting: Setting, previous: State | undefined): string {
  const same = previous?.previousValue !== undefined && previous.server.installation === inputs.server.installation;
  return same ? previous.previousValue : (setting.value ?? "");
}

export const globalSetting = defineResource<GlobalSettingInputs, GlobalSettingOutputs>({
  type: "cloudstack:GlobalSetting",
  summary: "A global setting. Its removal gives the value back that it had before.",
  inputs: z.object({
    ...server,
    name: z.string().min(1).describe("Its name."),
    value: z.string().describe("Its value, as the server stores it."),
    machine: machineSchema
      .optional()
      .describe("The management server's machine: where a restart is needed, it is noted there before the change, for `Restart`."),
  }),
  outputs: {
    previousValue: "The value that it had before.",
    changedDuring: "The start of the server that must be over for the value to be loaded; empty where it needs no restart.",
  },
  replaceOn: ["name"],
  deadlineSeconds: 300,
  id: (inputs) => `global-setting/${inputs.name}`,
  async observe(context, inputs, previous) {
    const state = previous as State | undefined;
    try {
      const setting = await read(context, inputs);
      const outputs = { previousValue: valueBefore(inputs, setting, state), changedDuring: state?.changedDuring ?? "" };
      return { inputs: { value: setting.value ?? "" }, outputs };
    } catch (error) {
      if (context.operation !== "read" || !state || !(error instanceof TestbedError) || error.kind !== "unreachable") throw error;
      context.warn(`cannot be looked at (${errorText(error)}); what was seen last stays`);
      return { inputs: {}, outputs: { previousValue: state.previousValue, changedDuring: state.changedDuring } };
    }
  },
  async reconcile(context, inputs, observed, previous) {
    const outputs = observed?.outputs ?? { previousValue: "", changedDuring: "" };
    if (observed?.inputs.value === inputs.value) return outputs;
    context.phase(`setting ${inputs.name}, which was ${JSON.stringify(observed?.inputs.value)}`);
    const setting = await read(context, inputs);
    const changedDuring = await change(context, inputs, setting, inputs.value);
    return { previousValue: valueBefore(inputs, setting, previous), changedDuring };
  },
  async remove(context, state) {
    const setting = await read(context, state);
    const value = state.previousValue ?? setting.value ?? "";
    if ((setting.value ?? "") === value) return;
    if ((setting.value ?? "") !== state.value) {
      context.warn(`${state.name} is ${JSON.stringify(setting.value)} by now, which is not from here: it was left as it is`);
      return;
    }
    context.phase(`giving back ${JSON.stringify(value)}`);
    const start = await change(context, state, setting, value);
    if (start) context.warn(`${state.name} is read at start only: the value of before is loaded by the next restart of the server`);
  },
});
