import { Resolver } from "node:dns/promises";
import { type Context, coalesce, errorText, TestbedError, waitFor } from "../kernel/index.ts";
import { type Driver, runOnDriver } from "../site/driver.ts";
import { fqdnOf, type HostInputs } from "./entry.ts";
import { LOG, meanings, RELOAD } from "./scripts.ts";

/** Seconds until dnsmasq must have taken an entry over. It needs less than one (dnsmasq facts A1). */
const PROOF_SECONDS = 15;

/** A new file is read at once; where it is not (dnsmasq before 2.73) a SIGHUP follows after this. */
const UNASKED_SECONDS = 2;

/** A changed or deleted DHCP line stays in dnsmasq's memory until a SIGHUP (dnsmasq facts A1). Concurrent changes share one. */
export function reload(context: Context, server: Driver, pidFile: string): Promise<void> {
  return coalesce(
    `dnsmasq-reload ${server.address} ${pidFile}`,
    async () => void (await runOnDriver(context, server, "dnsmasq", RELOAD, [pidFile], meanings)),
  );
}

/** After a removal: a dnsmasq that does not run has nothing in its memory to forget. */
export async function reloadIfRunning(context: Context, server: Driver, pidFile: string): Promise<void> {
  try {
    await reload(context, server, pidFile);
  } catch (error) {
    if (!(error instanceof TestbedError) || error.code !== "not-running") throw error;
    context.warn(`the entry is removed, and dnsmasq will not know it when it starts: ${errorText(error)}`);
  }
}

/** What dnsmasq answers for the name, and for the address. */
async function ask(inputs: HostInputs): Promise<string> {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([inputs.server.address]);
  const answer = (question: Promise<string[]>) =>
    question.then(
      (values) => values.sort().join(" "),
      (error: unknown) => (error as { code?: string }).code ?? errorText(error),
    );
  const [forward, reverse] = await Promise.all([answer(resolver.resolve4(fqdnOf(inputs))), answer(resolver.reverse(inputs.address))]);
  return `${forward} ${reverse}`;
}

interface LogView {
  /** Size of the log at that moment. */
  size: number;
  /** Whether both files were read. */
  missing: string | undefined;
  /** The last line in which dnsmasq refuses something in them. */
  complaint: string | undefined;
}

const literal = (text: string) => text.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&");

async function lookAtLog(context: Context, inputs: HostInputs, log: string, since: number): Promise<LogView> {
  const folders = [inputs.hostsDirectory, ...(inputs.dhcp ? [inputs.dhcpHostsDirectory] : [])];
  const files = folders.map((folder) => `${folder}/${inputs.name}`);
  const [first = "", second = first] = files;
  const text = await runOnDriver(context, inputs.server, inputs.name, LOG, [log, `${since}`, first, second]);
  const [size, ...all] = text.split("\n");
  const lines = all.filter((line) => files.some((file) => new RegExp(`${literal(file)}(\\s|$|,)`).test(line)));
  const unread = files.find((file) => !lines.some((line) => new RegExp(`\\bread ${literal(file)}( |$)`).test(line)));
  return {
    size: Number(size),
    missing: unread && `no line "read ${unread}" in ${log}`,
    complaint: lines.findLast((line) => /\b(bad|duplicate|failed|illegal|ignoring)\b| at line \d+ of /i.test(line)),
  };
}

/**
 * Waits until dnsmasq answers with the entry, for the name and for the address, and its log says that both files were read.
 *
 * A new file is read by itself. An old one's DHCP line stays in memory until a SIGHUP, and until then dnsmasq may call the new line a
 * duplicate of it: only what it says after the SIGHUP counts.
 * @param change what was written: whether there was an entry before, and the log's size then, where there is a log that can be read
 */
export async function prove(context: Context, inputs: HostInputs, change: { replaced: boolean; since: number | undefined }): Promise<void> {
  const wanted = `${inputs.address} ${fqdnOf(inputs)}`;
  const began = performance.now();
  let { since } = change;
  let reloaded = false;
  const options = {
    timeoutSeconds: PROOF_SECONDS,
    everySeconds: 0.1,
    object: fqdnOf(inputs),
    system: `dnsmasq ${inputs.server.address}`,
    remedy: "is dnsmasq alive, and are these folders its hostsdir and dhcp-hostsdir? see its log",
  };
  await waitFor(`DNS to answer "${wanted}"`, context, options, async () => {
    const answer = await ask(inputs);
    const log = since === undefined || !inputs.log ? undefined : await lookAtLog(context, inputs, inputs.log, since);
    const missing = answer === wanted ? (log?.complaint ?? log?.missing) : `DNS answers "${answer}"`;
    if (missing === undefined && (reloaded || !change.replaced)) return { done: undefined };
    if (reloaded && log?.complaint) throw refused(inputs, log.complaint);
    const late = performance.now() - began > UNASKED_SECONDS * 1000;
    if (!reloaded && (missing === undefined || log?.complaint || late)) {
      since = log?.size;
      await reload(context, inputs.server, inputs.pidFile);
      reloaded = true;
    }
    return { seen: missing ?? "the entry, before the SIGHUP" };
  });
}

function refused(inputs: HostInputs, complaint: string): TestbedError {
  return new TestbedError({
    system: `dnsmasq ${inputs.server.address}`,
    object: fqdnOf(inputs),
    kind: "refused",
    code: "line-refused",
    message: `its log says: ${complaint.trim()}`,
    remedy: "correct the machine in the inventory",
  });
}
