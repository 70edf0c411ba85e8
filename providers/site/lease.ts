import { hostname, userInfo } from "node:os";
import { z } from "zod";
import { type CobblerConnection, connectionSchema, removeStraySystems } from "../cobbler/index.ts";
import { type EntryFolders, removeStrayEntries } from "../dnsmasq/strays.ts";
import { type Context, defineResource, errorText, findMark, type Mark, markText, TestbedError } from "../kernel/index.ts";
import { type Driver, driverSchema, runOnDriver } from "./driver.ts";
import { CLAIM, HELD } from "./lease-scripts.ts";

export interface LeaseInputs {
  server: Driver;
  directory: string;
  claims: string[];
  cobbler?: CobblerConnection | undefined;
  entries?: (EntryFolders & { names: string[] }) | undefined;
}

export interface LeaseOutputs {
  since: string;
}

/** Makes the claims, all or none. */
async function claim(context: Context, inputs: LeaseInputs, claims: readonly string[]): Promise<void> {
  const note = `${new Date().toISOString()} from ${userInfo().username}@${hostname()}`;
  try {
    await runOnDriver(context, inputs.server, "leases", CLAIM, [inputs.directory, markText(context.mark), note, ...claims]);
  } catch (error) {
    if (error instanceof TestbedError && error.code === "foreign") throw held(context, inputs, error);
    throw error;
  }
}

/** Who holds what we want, since when and from where, and what can be done: one sentence per holder. */
function held(context: Context, inputs: LeaseInputs, refusal: TestbedError): TestbedError {
  const rows = refusal.message.split("\n").flatMap((line) => {
    const [, name, holder = "", note = ""] = /(\S+\/\S+)\t([^\t]*)\t([^\t]*?)(?: — .*)?$/.exec(line) ?? [];
    return name ? [{ name, holder, note }] : [];
  });
  const holders = [...new Set(rows.map((row) => row.holder))];
  const sentences = holders.map((holder) => {
    const [first, ...others] = rows.filter((row) => row.holder === holder);
    const more = others.length > 0 ? ` (and with it ${others.map((row) => row.name).join(", ")})` : "";
    const since = first?.note === "-" ? "an unknown time" : first?.note;
    return `${first?.name} is held by ${holder === "-" ? "nobody that can be read" : holder} since ${since}${more}`;
  });
  return new TestbedError({
    system: `driver ${inputs.server.address}`,
    object: "lease",
    kind: "conflict",
    code: "held",
    message: sentences.join("; "),
    remedy: [...new Set(holders.map((holder) => remedy(context.mark, findMark(holder), inputs.directory)))].join("; "),
    cause: refusal,
  });
}

function remedy(ours: Mark, holder: Mark | undefined, directory: string): string {
  if (!holder) return `look at the claim's file in ${directory} on the driver, and remove it when nobody uses the machine`;
  if (holder.project === ours.project && holder.stack === ours.stack)
    return "this same stack is run from another state (another machine, another checkout, another backend): run it from there; if that state is lost for good, take its ownership over on purpose with `testbed takeover`";
  return `run \`pulumi destroy --stack ${holder.stack}\` where that stack is run from, or take these machines out of this stack's marvin configuration`;
}

/** What carries this owner's mark and is in no plan: left over from a lost state, or about to be replaced under another name. */
async function removeStrays(context: Context, inputs: LeaseInputs, keep: { systems: string[]; names: string[] }): Promise<void> {
  const { cobbler, entries, server } = inputs;
  const systems = cobbler ? await removeStraySystems(context, cobbler, new Set(keep.systems)) : [];
  const names = entries ? await removeStrayEntries(context, server, entries, keep.names) : [];
  const strays = [...systems.map((name) => `cobbler system ${name}`), ...names.map((name) => `dnsmasq entry ${name}`)];
  if (strays.length > 0) context.warn(`removed, since they are this stack's and in no plan: ${strays.join(", ")}`);
}

/**
 * Ends the claims on the driver of before. A driver that only got another address has just been given the new ones there, so they are made
 * once more. Not a replacement: whatever is deleted with a lease are strays, and all else of the stack is still there.
 */
async function leave(context: Context, previous: LeaseInputs, inputs: LeaseInputs): Promise<void> {
  context.phase(`ending the claims on ${previous.server.address}`);
  try {
    await claim(context, previous, []);
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    context.warn(
      `the claims on ${previous.server.address} stay, where they hinder nobody who does not use that driver: ${errorText(error)}`,
    );
  }
  await claim(context, inputs, inputs.claims);
}

const machines = (claims: readonly string[]) => claims.flatMap((one) => (one.startsWith("machine/") ? [one.slice("machine/".length)] : []));

export const lease = defineResource<LeaseInputs, LeaseOutputs>({
  type: "site:Lease",
  summary: "The claim on everything a stack will touch: all of it at once, on the driver, before anything is touched.",
  inputs: z.object({
    server: driverSchema.describe("The driver."),
    directory: z
      .string()
      .startsWith("/")
      .default("/var/lib/cloudstack-testbed/leases")
      .describe("Where the driver keeps the claims of all stacks."),
    claims: z
      .array(z.string().regex(/^[a-z]+\/[A-Za-z0-9_.:-]+$/))
      .min(1)
      .describe("What is claimed, e.g. `machine/h11`, `address/10.91.0.11`."),
    cobbler: connectionSchema
      .optional()
      .describe("Where systems of this stack's mark that are no claimed machine are removed as strays; nowhere when left out."),
    entries: z
      .object({
        hostsDirectory: z.string().startsWith("/").describe("dnsmasq's `hostsdir`."),
        dhcpHostsDirectory: z.string().startsWith("/").describe("dnsmasq's `dhcp-hostsdir`."),
        pidFile: z.string().startsWith("/").describe("File with dnsmasq's process id, for the signal to read them anew."),
        names: z.array(z.string().regex(/^[A-Za-z0-9-]+$/)).describe("The names that stay: those in the plan."),
      })
      .optional()
      .describe("dnsmasq's folders, and the names in the plan: other entries of this stack's mark are removed as strays."),
  }),
  outputs: { since: "When the claim was first made (ISO 8601, UTC); it outlives a lost state." },
  replaceOn: [],
  deadlineSeconds: 120,
  id: (inputs) => `lease/${inputs.server.address}`,
  async observe(context, inputs, previous) {
    const rows = (await runOnDriver(context, inputs.server, "leases", HELD, [inputs.directory, markText(context.mark)]))
      .split("\n")
      .filter(Boolean)
      .map((row) => row.split("\t"));
    if (rows.length === 0) return undefined;
    const mine = rows.map(([name = ""]) => name);
    const claims = inputs.claims.filter((name) => mine.includes(name));
    // ISO times of one length sort as text.
    const since = rows
      .map(([, note = ""]) => note.split(" ")[0] ?? "")
      .filter(Boolean)
      .sort()[0];
    return {
      inputs: { claims: [...claims, ...mine.filter((name) => !claims.includes(name))] },
      outputs: { since: since ?? previous?.since ?? "" },
    };
  },
  async reconcile(context, inputs, observed, previous) {
    const since = observed?.outputs.since || new Date().toISOString();
    context.touched();
    await claim(context, inputs, inputs.claims);
    if (previous && previous.server.address !== inputs.server.address) await leave(context, previous, inputs);
    await removeStrays(context, inputs, { systems: machines(inputs.claims), names: inputs.entries?.names ?? [] });
    return { since };
  },
  async remove(context, state) {
    await removeStrays(context, state, { systems: [], names: [] });
    await claim(context, state, []);
  },
});
