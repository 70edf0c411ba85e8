import { randomBytes } from "node:crypto";
import { type Context, limiter, markText, queueing, unlessAborted, whenAllAborted } from "../kernel/index.ts";
import { driverFailure, runOnDriver } from "../site/driver.ts";
import type { HostInputs } from "./entry.ts";
import { type EntryScript, entryScript } from "./entry-script.ts";
import { meanings } from "./scripts.ts";

/** A command line may have 128 KiB on Linux: this many entries and the script need half of it. */
const ENTRIES_PER_CALL = 64;

/** What an entry is found by, and what it claims where that is known. */
export type EntryPlace = Pick<HostInputs, "server" | "hostsDirectory" | "dhcpHostsDirectory" | "name"> &
  Partial<Pick<HostInputs, "address" | "mac">>;

interface Job {
  context: Context;
  inputs: EntryPlace;
  args: readonly string[];
  begins(): void;
  done(answer: string): void;
  failed(error: unknown): void;
}

/** What waits for the next call, by driver, folders, mark and script. */
const waiting = new Map<string, Job[]>();

/**
 * Runs one script about one entry. What is asked for while an earlier call runs goes to the driver together in the next one: a thousand
 * machines are some twenty calls, each with one look at the files that are there.
 */
export function runEntry(context: Context, inputs: EntryPlace, script: EntryScript, args: readonly string[] = []): Promise<string> {
  const { server, hostsDirectory, dhcpHostsDirectory } = inputs;
  const key = JSON.stringify([server, hostsDirectory, dhcpHostsDirectory, markText(context.mark), script]);
  const admitted = queueing.getStore()?.begin();
  const answer = new Promise<string>((done, failed) => {
    const job: Job = { context, inputs, args, begins: () => admitted?.(), done, failed };
    const others = waiting.get(key);
    if (others) return void others.push(job);
    waiting.set(key, [job]);
    callSoon(key, job, script);
  });
  return unlessAborted(answer, context.signal, { system: `driver ${server.address}`, object: inputs.name });
}

/** Takes what waits, and leaves what does not fit to a call right after. */
async function callWaiting(key: string, script: EntryScript): Promise<void> {
  const all = (waiting.get(key) ?? []).filter((job) => !job.context.signal.aborted);
  const [first, ...others] = withoutClashes(all);
  waiting.delete(key);
  if (!first) return;
  const rest = all.filter((job) => job !== first && !others.includes(job));
  if (rest.length > 0) {
    waiting.set(key, rest);
    callSoon(key, rest[0] as Job, script);
  }
  await callTogether([first, ...others], script);
}

function callSoon(key: string, { inputs }: Job, script: EntryScript): void {
  // Outside of the meter of the operation that asks: it would count the calls of all others.
  queueing.exit(() => void limiter(`dnsmasq ${inputs.server.address}`, 1)(() => callWaiting(key, script)));
}

/** As many as one call takes; of two that claim one name, address or MAC the second goes later, and is refused then. */
function withoutClashes(jobs: readonly Job[]): Job[] {
  const claimed = new Set<string>();
  return jobs
    .filter(({ inputs: { name, address, mac } }) => {
      const claims = [name.toLowerCase(), address, mac].filter((one) => one !== undefined);
      const free = !claims.some((one) => claimed.has(one));
      for (const one of claims) claimed.add(one);
      return free;
    })
    .slice(0, ENTRIES_PER_CALL);
}

async function callTogether(jobs: readonly [Job, ...Job[]], script: EntryScript): Promise<void> {
  for (const job of jobs) job.begins();
  const [{ context, inputs, args }] = jobs;
  const { server } = inputs;
  const boundary = `-- ${randomBytes(16).toString("hex")}`;
  const place = [inputs.hostsDirectory, inputs.dhcpHostsDirectory, markText(context.mark), boundary, String(1 + args.length)];
  const words = [...place, ...jobs.flatMap((job) => [job.inputs.name, ...job.args])];
  // No caller's deadline ends it for the others.
  const patient = { ...context, signal: whenAllAborted(jobs.map((job) => job.context.signal)) };
  const object = jobs.length === 1 ? inputs.name : `${jobs.length} entries`;
  try {
    const answers = answersIn(await runOnDriver(patient, server, object, entryScript(script), words, meanings), boundary, jobs.length);
    for (const [index, { status, stdout, stderr }] of answers.entries()) {
      const job = jobs[index] as Job;
      if (status === 0) job.done(stdout);
      else job.failed(driverFailure(server, job.inputs.name, status, stderr, meanings));
    }
  } catch (error) {
    for (const job of jobs) job.failed(error);
  }
}

/** The answers of the entries in their order, as entryScript prints them. */
function answersIn(text: string, boundary: string, count: number): { status: number; stdout: string; stderr: string }[] {
  if (text === "") return Array.from({ length: count }, () => ({ status: 0, stdout: "", stderr: "" }));
  const parts = text.split(boundary);
  if (parts.length !== 2 * count + 1)
    throw new Error(`The driver answered for ${(parts.length - 1) / 2} of ${count} entries: ${text.slice(-200)}`);
  return Array.from({ length: count }, (_, index) => {
    const [printed = "", said = ""] = parts.slice(2 * index);
    const [status = "", ...lines] = said.split("\n");
    return { status: Number(status), stdout: printed.slice(index === 0 ? 0 : 1, -1), stderr: lines.join("\n").trim() };
  });
}
