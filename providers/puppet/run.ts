import { createHash } from "node:crypto";
import { z } from "zod";
import { type Context, defineResource, errorText, TestbedError } from "../kernel/index.ts";
import { type Driver, driverSchema } from "../site/index.ts";
import { DONE, runAgent } from "./agent.ts";
import { cleanCertificate, SSL_FOLDERS } from "./authority.ts";
import { writeFacts } from "./facts.ts";
import { roleAndRun } from "./last-run.ts";
import { certnameSchema, type Node, nodeSchema, runOnNode } from "./node.ts";
import { judgeRun, metAnotherRun, metOldCertificate } from "./run-end.ts";

export interface RunInputs {
  node: Node;
  certname: string;
  server: string;
  ca?: Driver | undefined;
  environment: string;
  role: string;
  parameters: Record<string, string>;
  credentials: string[];
  generation: string;
  installs: string;
  modules: string;
  runSeconds: number;
  waitSeconds: number;
}

export interface RunOutputs {
  ran: string;
  result: string;
  changed: number;
  reportedAt: string;
}

/** Everything that makes another run of it, in one short text. */
function triggerOf(inputs: RunInputs): string {
  const { certname, server, environment, role, parameters, credentials, generation, installs, modules } = inputs;
  const sorted = Object.entries(parameters).sort(([a], [b]) => a.localeCompare(b));
  const text = JSON.stringify([certname, server, environment, role, sorted, credentials, generation, installs, modules]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

export const run = defineResource<RunInputs, RunOutputs>({
  type: "puppet:Run",
  summary: "One run of the puppet agent that gives a machine its role, ended without a failed resource by exit code and by report.",
  inputs: z.object({
    node: nodeSchema.describe("The installed machine."),
    certname: certnameSchema.describe("Its certificate name: its full name in lower case."),
    server: certnameSchema.describe("The master's full name, as its certificate has it."),
    ca: driverSchema
      .optional()
      .describe(
        "The driver, where the CA is. When given, a certificate for another key than the machine's is cleaned, and the run done again: " +
          "so it is after an installation that nobody planned, since `puppet:Certificate` cleans once per planned one.",
      ),
    environment: z
      .string()
      .regex(/^[a-z0-9_]+$/, "may hold lower-case letters, digits and _ only")
      .default("production")
      .describe("Puppet's environment: the one in whose folder the modules were put."),
    role: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/)
      .describe("What the machine shall be, e.g. `management-server`, `kvm-host`, `xenserver-host`: the fact `testbed_role`."),
    parameters: z
      .record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.string().regex(/^[^\n\r]*$/, "must be one line"))
      .default({})
      .describe("What the role needs to know, each as a fact `testbed_<name>`. Nothing secret: the master sees facts."),
    credentials: z
      .array(z.string().regex(/^[A-Za-z0-9_-]+$/))
      .default([])
      .describe("Names of credentials that the role needs, each field put into a file that only the machine's root reads."),
    generation: z.string().min(1).describe("The machine's generation; a new one runs again."),
    installs: z.string().default("").describe("The machine's install token fingerprint: a machine installed anew runs again."),
    modules: z.string().default("").describe("Digest of the modules; a change runs again."),
    runSeconds: z.number().int().positive().default(1800).describe("Limit of one run."),
    waitSeconds: z.number().positive().default(600).describe("How long a run that somebody else started is waited for."),
  }),
  outputs: {
    ran: "Which run it was: a digest of everything that makes another run of it.",
    result: "`changed` or `unchanged`, as the report says; empty when an earlier `up` saw its end.",
    changed: "How many resources the run changed.",
    reportedAt: "When the run was reported (the machine's clock).",
  },
  replaceOn: ["certname"],
  deadlineSeconds: 3600,
  id: (inputs) => `run/${inputs.certname}`,
  async observe(context, inputs, previous) {
    const known: RunOutputs | undefined = previous && {
      ran: previous.ran,
      result: previous.result,
      changed: previous.changed,
      reportedAt: previous.reportedAt,
    };
    try {
      const { done, role } = await roleAndRun(context, inputs.node);
      if (known === undefined) {
        return done === triggerOf(inputs) ? { inputs: {}, outputs: { ran: done, result: "", changed: 0, reportedAt: "" } } : undefined;
      }
      if (done === known.ran && role === inputs.role) return { inputs: {}, outputs: known };
      // Installed by hand, or given another role: the next `up` runs again.
      return { inputs: role === inputs.role ? { installs: "not run" } : { role: role || "none" }, outputs: { ...known, ran: "" } };
    } catch (error) {
      if (context.operation !== "read" || !known) throw error;
      // Off or cut off is not undone.
      context.warn(`cannot be looked at (${errorText(error)}); the last run stays`);
      return { inputs: {}, outputs: known };
    }
  },
  async reconcile(context, inputs, observed) {
    const trigger = triggerOf(inputs);
    if (observed?.outputs.ran === trigger) return observed.outputs;
    const { node, certname, server, environment, runSeconds, waitSeconds } = inputs;
    context.touched();
    const began = performance.now();
    let cleaned = false;
    await writeFacts(context, node, inputs.role, inputs.parameters, inputs.credentials);
    for (;;) {
      context.phase(`puppet run as ${inputs.role}`);
      const end = await runAgent(context, node, { certname, server, environment, trigger, limitSeconds: runSeconds, waitSeconds });
      if (metAnotherRun(end)) {
        // One that started between our question and our run: it is waited for, too, within the same limit.
        if ((performance.now() - began) / 1000 > waitSeconds) throw stillRunning(node, certname, waitSeconds);
        continue;
      }
      if (inputs.ca && !cleaned && metOldCertificate(end)) {
        cleaned = true;
        await cleanOldCertificate(context, inputs, inputs.ca);
        continue;
      }
      const report = judgeRun(`host ${node.address}`, certname, end, runSeconds);
      await runOnNode(context, node, "puppet run", DONE, [trigger]);
      context.phase(`puppet run ${report.status}: ${report.changed} resources changed`);
      return { ran: trigger, result: report.status, changed: report.changed, reportedAt: report.time };
    }
  },
  // What a role put on a machine goes with the machine: the next installation wipes it.
  async remove() {},
});

// Agents before release 6 keep what they were given, though it does not fit.
const FORGET = `for folder in ${SSL_FOLDERS}; do rm -f "$folder/certs/$1.pem"; done`;

/** The machine is the proved one, by its pinned host key; what the CA has is of an installation that is gone. */
async function cleanOldCertificate(context: Context, { node, certname, server }: RunInputs, ca: Driver): Promise<void> {
  context.phase("cleaning the certificate of the machine's old key");
  await cleanCertificate(context, ca, server, certname);
  await runOnNode(context, node, "puppet run", FORGET, [certname]);
}

function stillRunning(node: Node, certname: string, seconds: number): TestbedError {
  return new TestbedError({
    system: `host ${node.address}`,
    object: `puppet run of ${certname}`,
    kind: "timeout",
    code: "already-running",
    message: `other runs of its agent came in between for ${seconds} s`,
    remedy: "stop the agent's daemon on the machine (`systemctl stop puppet`): runs are started from here",
  });
}
