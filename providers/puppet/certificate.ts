import { z } from "zod";
import { type Context, defineResource, errorText, markText, TestbedError, waitFor } from "../kernel/index.ts";
import { type Driver, driverSchema, FOREIGN, runOnDriver } from "../site/index.ts";
import { connectSsh } from "../transport/ssh.ts";
import { cleanCertificate } from "./authority.ts";
import { certnameSchema, type Node, nodeSchema, PUPPET_PATH, RUNNING_AGENT } from "./node.ts";

export interface CertificateInputs {
  server: Driver;
  master: string;
  certname: string;
  generation: string;
  installs: string;
  node?: Omit<Node, "hostKey"> & { hostKey?: string };
  directory: string;
  agentSeconds: number;
  serverSeconds: number;
}

export interface CertificateOutputs {
  cleanedFor: string;
  way: string;
}

const wanted = (inputs: CertificateInputs) => `${inputs.generation} ${inputs.installs}`;

// One file per certificate: first line the stack's mark, second what it was cleaned for. A run whose state was lost meets it again, and
// does not revoke the certificate of a machine that is not installed anew.
export const READ = 'if [ -e "$1/$2" ]; then cat "$1/$2"; fi';

const REFUSE = `
file=$1/$2 mark=$3
[ ! -e "$file" ] || [ "$(head -n 1 "$file")" = "$mark" ] || { echo "the certificate $2 belongs to $(head -n 1 "$file")" >&2; exit ${FOREIGN}; }
`;

const WRITE = `
set -eu
mkdir -p "$1"
printf '%s\\n%s\\n' "$3" "$4" >"$1/.$2.new"
mv "$1/.$2.new" "$1/$2"
`;

const REMOVE = 'rm -f "$1/$2"';

/** The mark of another holder becomes ours; what the certificate was cleaned for stays. Prints whose it is then. */
export const TAKE_NOTE = `
set -eu
if [ "$(head -n 1 "$1/$2")" = "$4" ]; then
  { printf '%s\\n' "$3"; tail -n +2 "$1/$2"; } >"$1/.$2.new"
  mv "$1/.$2.new" "$1/$2"
fi
head -n 1 "$1/$2"
`;

export function note(context: Context, inputs: CertificateInputs, script: string, ...more: string[]): Promise<string> {
  const args = [inputs.directory, inputs.certname, markText(context.mark), ...more];
  return runOnDriver(context, inputs.server, `certificate ${inputs.certname}`, script, args);
}

/** The process id of the agent that runs on the old system, if that can be reached at all. */
async function runningAgent(context: Context, node: NonNullable<CertificateInputs["node"]>): Promise<string> {
  const { privateKey = "" } = context.credential(node.credential);
  const target = { address: node.address, user: node.user, privateKey, ...(node.hostKey ? { hostKey: node.hostKey } : {}) };
  try {
    const connection = await connectSsh(target);
    try {
      return (await connection.exec(["sh", "-c", PUPPET_PATH + RUNNING_AGENT], { timeoutSeconds: 20 })).stdout.trim();
    } finally {
      connection.close();
    }
  } catch (error) {
    // Off, or in the middle of its installation: no agent runs there.
    if (error instanceof TestbedError && (error.kind === "unreachable" || error.kind === "timeout")) return "";
    context.warn(`cannot be asked whether its agent runs (${errorText(error)}): taken for not running`);
    return "";
  }
}

/** An agent in the middle of its run would ask for a certificate with its old key right after the clean. */
async function waitForAgent(context: Context, inputs: CertificateInputs): Promise<void> {
  const { node } = inputs;
  if (!node) return;
  const options = {
    timeoutSeconds: inputs.agentSeconds,
    everySeconds: 1,
    object: `certificate ${inputs.certname}`,
    system: `host ${node.address}`,
  };
  await waitFor("the machine's puppet agent to end", context, options, async () => {
    const pid = await runningAgent(context, node);
    if (pid === "") return { done: undefined };
    context.phase("waiting for the machine's puppet agent to end");
    return { seen: `its agent runs as process ${pid}` };
  });
}

export const certificate = defineResource<CertificateInputs, CertificateOutputs>({
  type: "puppet:Certificate",
  summary: "A machine's certificate, cleaned on the puppet CA before the machine returns with a new key: an action, once per installation.",
  inputs: z.object({
    server: driverSchema.describe("The driver, which is the puppet master and its CA."),
    master: certnameSchema.describe("The master's own certificate name, which is never cleaned."),
    certname: certnameSchema.describe("The machine's certificate name: its full name in lower case."),
    generation: z.string().min(1).describe("The machine's generation; a new one means a new key, so that the old certificate must go."),
    installs: z.string().default("").describe("Fingerprint of what is installed; a change means a new installation."),
    node: nodeSchema
      .extend({ hostKey: nodeSchema.shape.hostKey.optional() })
      .optional()
      .describe("The machine as it is now. When given, a run of its agent is waited for before the clean; one that is off has none."),
    directory: z
      .string()
      .startsWith("/")
      .default("/var/lib/cloudstack-testbed/puppet")
      .describe("Where the driver keeps what was cleaned for which stack."),
    agentSeconds: z.number().positive().default(300).describe("How long a running agent is waited for."),
    serverSeconds: z.number().positive().default(120).describe("How long a CA that is down is waited for."),
  }),
  outputs: {
    cleanedFor: "Generation and fingerprint of the installation that it was cleaned for.",
    way: "How it was cleaned: `puppetserver ca`, `puppet cert` or `http api`; empty when an earlier run did it.",
  },
  replaceOn: ["certname"],
  deadlineSeconds: 900,
  id: (inputs) => `certificate/${inputs.certname}`,
  async observe(context, inputs, previous) {
    const [holder, cleanedFor = ""] = (await note(context, inputs, READ)).split("\n");
    // Of another stack's there is nothing to see: the clean refuses it.
    if (holder !== markText(context.mark)) return undefined;
    const same = cleanedFor === wanted(inputs);
    return {
      // The machine was installed for something else since, by hand or by an `up` whose state was lost.
      inputs: same || context.operation !== "read" ? {} : { generation: `cleaned for ${cleanedFor}` },
      outputs: { cleanedFor, way: previous?.way ?? "" },
    };
  },
  async reconcile(context, inputs, observed) {
    if (observed?.outputs.cleanedFor === wanted(inputs)) return observed.outputs;
    await note(context, inputs, REFUSE);
    await waitForAgent(context, inputs);
    context.phase("cleaning the certificate");
    context.touched();
    const { way, was } = await cleanCertificate(context, inputs.server, inputs.master, inputs.certname, inputs.serverSeconds);
    await note(context, inputs, WRITE, wanted(inputs));
    context.phase(was === "cleaned" ? "certificate cleaned" : "there was no certificate");
    return { cleanedFor: wanted(inputs), way };
  },
  async remove(context, state) {
    try {
      await note(context, state, REFUSE);
    } catch (error) {
      if (!(error instanceof TestbedError && error.code === "foreign")) throw error;
      return context.warn(`${error.message}: it was left alone`);
    }
    await cleanCertificate(context, state.server, state.master, state.certname, state.serverSeconds);
    await note(context, state, REMOVE);
  },
});
