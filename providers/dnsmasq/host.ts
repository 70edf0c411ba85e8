import { z } from "zod";
import {
  type Context,
  changedFor,
  defineResource,
  errorText,
  findMarks,
  joinedWith,
  keptFor,
  type Mark,
  markText,
  TestbedError,
} from "../kernel/index.ts";
import { driverSchema } from "../site/index.ts";
import { type EntryPlace, runEntry } from "./entries.ts";
import { dhcpLine, fqdnOf, type HostInputs, hostsLine, parseEntry } from "./entry.ts";
import { prove, reload, reloadIfRunning } from "./proof.ts";
import { READ, REMOVE, RESTORE, WRITE } from "./scripts.ts";

export interface HostOutputs {
  fqdn: string;
}

interface Change {
  /** `joined`: the lines were there, and our mark was put beside those of other stacks. */
  verdict: "changed" | "joined" | "same";
  /** Who holds the entry too. */
  others: Mark[];
  /** Size of dnsmasq's log before; undefined where it cannot be read. */
  since: number | undefined;
  hosts: string;
  dhcp: string;
}

async function write(context: Context, inputs: HostInputs): Promise<Change> {
  const text = await runEntry(context, inputs, WRITE, [
    hostsLine(inputs),
    inputs.dhcp ? dhcpLine(inputs) : "",
    dhcpLine(inputs),
    inputs.mac,
    inputs.address,
    fqdnOf(inputs),
    inputs.leaseFile,
    inputs.log ?? "",
  ]);
  const [head = "", ...rest] = text.split("\n");
  const [hosts = "", dhcp = ""] = rest.join("\n").split("\n--\n");
  const [verdict, since] = head.split(" ");
  const seen = { since: since === "-" ? undefined : Number(since), others: findMarks(head), hosts, dhcp };
  return { verdict: verdict as Change["verdict"], ...seen };
}

/** Puts both files back as they were, and says how that went. */
async function restore(context: Context, inputs: HostInputs, change: Change): Promise<string> {
  try {
    await runEntry(context, inputs, RESTORE, [change.hosts, change.dhcp, change.others.map(markText).join(" ")]);
  } catch (error) {
    return `the previous content could not be put back: ${errorText(error)}`;
  }
  const back = change.hosts || change.dhcp ? "the previous content is back" : "the new files are removed again";
  try {
    await reload(context, inputs.server, inputs.pidFile);
    return back;
  } catch (error) {
    return `${back}, which dnsmasq could not be told: ${errorText(error)}`;
  }
}

export const host = defineResource<HostInputs, HostOutputs>({
  type: "dnsmasq:Host",
  summary: "Name, address and MAC of one machine in dnsmasq's host folders: DNS, and DHCP where dnsmasq serves it.",
  inputs: z.object({
    server: driverSchema.describe("The driver."),
    hostsDirectory: z.string().startsWith("/").describe("dnsmasq's `hostsdir`."),
    dhcpHostsDirectory: z.string().startsWith("/").describe("dnsmasq's `dhcp-hostsdir`."),
    pidFile: z.string().startsWith("/").describe("dnsmasq's pid file."),
    leaseFile: z
      .string()
      .startsWith("/")
      .default("/var/lib/misc/dnsmasq.leases")
      .describe("dnsmasq's `dhcp-leasefile`; where it cannot be read, leases are not looked at."),
    log: z
      .string()
      .startsWith("/")
      .optional()
      .describe("dnsmasq's `log-facility`, where the account can read it: proof that it read the files."),
    domain: z
      .string()
      .regex(/^[a-z0-9.-]+$/)
      .describe("DNS domain."),
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "must be a host name by RFC 1123")
      .describe("Host name without the domain."),
    mac: z
      .string()
      .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be six lower-case hexadecimal bytes with colons")
      .regex(/^.[02468ace]/, "must be the address of one machine, not of a group")
      .describe("MAC address."),
    address: z
      .ipv4()
      .refine(
        (text) => /^(?!0\.|127\.)([0-9]|[1-9][0-9]|1[0-9][0-9]|2[01][0-9]|22[0-3])\./.test(text),
        "must be the address of one machine",
      )
      .describe("IPv4 address."),
    dhcp: z.boolean().default(true).describe("Whether dnsmasq serves this machine's DHCP. False where cobbler declares the MAC."),
  }),
  outputs: { fqdn: "The full name, as DNS answers it." },
  replaceOn: ["server.address", "name", "hostsDirectory", "dhcpHostsDirectory"],
  deadlineSeconds: 120,
  id: (inputs) => `host/${fqdnOf(inputs)}`,
  async observe(context, inputs) {
    const [hosts = "", dhcp = ""] = (await runEntry(context, inputs, READ)).split("--\n");
    const seen = parseEntry(inputs, hosts, dhcp);
    return seen && { inputs: seen, outputs: { fqdn: fqdnOf(inputs) } };
  },
  async reconcile(context, inputs) {
    context.touched();
    const change = await write(context, inputs);
    const changed = change.verdict !== "same";
    if (changed) context.phase(`${change.verdict === "joined" ? joinedWith(change.others) : "written"}; asking DNS`);
    if (change.verdict === "changed" && change.others.length > 0) context.warn(changedFor(change.others));
    if (inputs.log && change.since === undefined) context.warn(`${inputs.log} cannot be read on the driver: the proof is DNS alone`);
    const replaced = changed && `${change.hosts}${change.dhcp}` !== "";
    try {
      await prove(context, inputs, { replaced, since: changed ? change.since : undefined });
    } catch (error) {
      if (!changed || !(error instanceof TestbedError)) throw error;
      throw new TestbedError({
        system: `driver ${inputs.server.address}`,
        object: `entry of ${fqdnOf(inputs)}`,
        kind: error.kind,
        code: error.code ?? "not-proved",
        message: `dnsmasq did not take it over: ${errorText(error)}; ${await restore(context, inputs, change)}`,
        cause: error,
      });
    }
    return { fqdn: fqdnOf(inputs) };
  },
  remove: (context, state) => removeEntry(context, state),
});

/** Takes our mark off an entry, which goes with its last one; absent is success, and a foreign one stays and is warned of. */
export async function removeEntry(context: Context, entry: EntryPlace & Pick<HostInputs, "pidFile">): Promise<void> {
  try {
    const answer = (await runEntry(context, entry, REMOVE)).trim();
    if (answer.startsWith("kept")) context.phase(keptFor(findMarks(answer)));
    if (answer !== "removed") return;
  } catch (error) {
    if (!(error instanceof TestbedError) || error.code !== "foreign") throw error;
    context.warn(`the entry of ${entry.name} was left alone: ${errorText(error)}`);
    return;
  }
  await reloadIfRunning(context, entry.server, entry.pidFile);
}
