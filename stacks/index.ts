// The Pulumi program. It does no remote I/O: the inputs are read and checked, the plan is made, the tree is declared.
import * as pulumi from "@pulumi/pulumi";
import { apiAddress, externalCloud } from "./cloud.ts";
import { Environment } from "./environment.ts";
import { renderFindings } from "./findings.ts";
import { loadInputs } from "./load.ts";

// A resource that failed stands in its own row with its error. What depends on it rejects, and the SDK would print that as a trace of
// this program, or, of one that fails after the program's end, its stack; both are said in one line here. The exit status stays, which
// stops the engine from taking what was not registered for removed.
process.prependListener("unhandledRejection", (reason) => {
  const [, name] = (reason instanceof Error && /resource (.+) \[\S+\] failed to register$/.exec(reason.message)) || [];
  const message = `${name} failed: what needs it was left as it is`;
  if (name) Object.assign(reason as Error, { message, stack: message, __pulumiRunError: true });
});

const { findings, plan, external } = loadInputs(process.cwd(), { stack: pulumi.getStack() });
const errors = findings.filter((finding) => finding.severity === "error");
for (const finding of findings) if (finding.severity === "warning") pulumi.log.warn(renderFindings([finding]));
if (errors.length > 0 || !(plan || external)) {
  // A RunError is shown as it is, without a stack trace: the fault is in the inputs, not in the program.
  throw new pulumi.RunError(`The inputs have ${errors.length} fault(s); nothing was touched.\n\n${renderFindings(errors)}`);
}

const parallel = Number(process.env.PULUMI_PARALLEL ?? 0);
if (plan && parallel > 0 && parallel <= plan.machines.length) {
  pulumi.log.warn(
    `PULUMI_PARALLEL is ${parallel}, but ${plan.machines.length} machines install at once and each holds a slot; run through \`testbed exec\`, or raise it.`,
  );
}

const environment = plan && new Environment(pulumi.getStack(), { plan });
// On a site that only names a management server nothing is installed: there is its cloud, and nothing else.
const cloud = environment?.cloud ?? (external && externalCloud(external));

export const site = plan?.site ?? external?.site;
export const generation = plan?.generation ?? external?.generation;
export const hosts = environment?.hosts ?? [];
export const managementServer = environment?.managementServer ?? external?.managementServer;
/** Address of the API. */
export const api = apiAddress(plan?.managementServer ?? external?.managementServer);
/** Name and id of every zone. */
export const zones = cloud?.zones;
/** What the gate saw, per zone. */
export const health = cloud?.health;
