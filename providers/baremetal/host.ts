import { z } from "zod";
import { endInstall } from "../cobbler/index.ts";
import { ensureInstalled, installationInputs, installationOutputs, observeInstallation } from "../installation/index.ts";
import { defineResource } from "../kernel/index.ts";
import { driverSchema } from "../site/index.ts";
import { type HostInputs, type HostOutputs, powerOf } from "./machine.ts";

export const host = defineResource<HostInputs, HostOutputs>({
  type: "baremetal:Host",
  summary: "A physical machine that runs the wanted installation, and has proved it over SSH with the installation's own token.",
  inputs: z.object({
    ...installationInputs,
    bmc: z
      .object({
        address: z.ipv4().describe("Its address."),
        port: z.number().int().positive().default(623).describe("Its UDP port."),
        credential: z.string().default("bmc").describe("Name of the credential (`user`, `password`) in the stack configuration."),
        cipherSuite: z
          .number()
          .int()
          .positive("suite 0 has no security")
          .default(17)
          .describe("IPMI's cipher suite: 17 (SHA-256), or 3 (SHA-1) for older BMCs."),
        pacingSeconds: z.number().nonnegative().default(5).describe("Least time between two commands; real BMCs crash when asked faster."),
        via: driverSchema.optional().describe("The driver, where the BMC is reached only from there: ipmitool then runs on it."),
      })
      .describe("The management controller, spoken to by IPMI 2.0."),
    onDelete: z.enum(["off", "leave"]).default("off").describe("Whether the machine is powered off when it leaves the environment."),
    powerSeconds: z
      .number()
      .positive()
      .default(60)
      .describe("Limit of one power change until the BMC reports it, and of the tries with a BMC that is busy or silent."),
  }),
  outputs: installationOutputs,
  replaceOn: ["name", "system"],
  deadlineSeconds: 5400,
  id: (inputs) => `host/${inputs.name}`,
  observe: observeInstallation,
  reconcile(context, inputs, observed) {
    return ensureInstalled(context, inputs, powerOf(context, inputs), observed?.outputs);
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
