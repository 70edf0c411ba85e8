import { z } from "zod";
import { type Context, defineResource, limiter, waitFor } from "../kernel/index.ts";
import { stream } from "./push.ts";
import { checksum, directory, placeInputs, runOnServer } from "./server.ts";
import {
  failed,
  folderOf,
  look,
  object,
  type Progress,
  progressPhase,
  size,
  type TemplateInputs,
  type TemplateOutputs,
  words,
} from "./staging.ts";

/** The server fetches by itself; it goes on when this process ends, and the next run finds it. */
async function fetchThere(context: Context, inputs: TemplateInputs, length: number): Promise<void> {
  await runOnServer(context, inputs.server, object(inputs), "template", words(context, inputs, "start", { expected: length }));
  const show = progressPhase(context, "fetching and unpacking on the server,", length);
  const ended = await waitFor<Progress>(
    "the template to be fetched and unpacked",
    context,
    { timeoutSeconds: inputs.fetchSeconds, everySeconds: 0.5, object: object(inputs), system: `NFS server ${inputs.server.address}` },
    async () => {
      const progress = await look(context, inputs);
      if (progress.state !== "running") return { done: progress };
      show(progress.fetched);
      return { seen: `${size(progress.fetched)} fetched` };
    },
  );
  if (ended.state !== "done") throw failed(inputs, ended);
}

export const template = defineResource<TemplateInputs, TemplateOutputs>({
  type: "nfs:Template",
  summary: "A system-VM template, fetched, unpacked and verified beside the stores of an NFS server, ready to be put into them.",
  inputs: z.object({
    ...placeInputs,
    directory: directory.describe("Where templates wait; on the stores' file system, a store then gets one without copying it."),
    url: z
      .url({ protocol: /^(https?|file)$/, error: "must be an http, https or file address" })
      .refine((text) => !/^\w+:\/\/[^/]*@/.test(text), "must hold no user or password: it is shown in logs")
      .describe("Address of the file, or a `file:` of the machine where `up` runs."),
    checksum: checksum.describe("Of the file as it is fetched: `sha256:…`, `sha512:…`, `sha1:…` or `md5:…`."),
    format: z.enum(["qcow2", "vhd", "ova", "raw"]).describe("What the unpacked image must be."),
    compression: z.enum(["bzip2", "gzip", "none"]).optional().describe("How it is packed; by default as its name says."),
    unpackedBytes: z
      .number()
      .int()
      .nonnegative()
      .default(0)
      .describe("Size of the unpacked image, for the check of free space; 0 when unknown."),
    through: z
      .enum(["server", "here", "either"])
      .default("either")
      .describe(
        "Who fetches: the NFS server, the machine where `up` runs, or the latter only where the server does not reach the address.",
      ),
    fetchSeconds: z.number().positive().default(3600).describe("Limit of fetching and unpacking."),
  }),
  outputs: {
    staged: "The directory that holds the verified image.",
    bytes: "Size of the unpacked image.",
  },
  replaceOn: ["server.address", "directory", "checksum"],
  deadlineSeconds: 7200,
  id: (inputs) => `template/${inputs.server.address}${inputs.directory}/${inputs.checksum.split(":")[1]?.slice(0, 16)}`,
  async observe(context, inputs) {
    const progress = await look(context, inputs);
    if (progress.state === "absent") return undefined;
    // What is not whole is drift: the next `up` fetches the rest. Of the address, since another checksum would begin anew.
    const inputsSeen = progress.state === "done" ? {} : { url: `not verified (${size(progress.fetched)} fetched)` };
    return { inputs: inputsSeen, outputs: { staged: `${inputs.directory}/${folderOf(context, inputs)}`, bytes: progress.bytes } };
  },
  async reconcile(context, inputs, observed) {
    if (observed && !observed.inputs.url) return observed.outputs;
    context.touched();
    // They share the server's disk and its line.
    await limiter(`nfs-fetch ${inputs.server.address}`, 2)(() => stage(context, inputs));
    const { bytes } = await look(context, inputs);
    context.phase(`verified, ${size(bytes)}`);
    return { staged: `${inputs.directory}/${folderOf(context, inputs)}`, bytes };
  },
  async remove(context, state) {
    const seen = await runOnServer(context, state.server, object(state), "template", words(context, state, "remove"));
    if (seen.foreign !== undefined) context.warn(`${state.directory}/${folderOf(context, state)} is not ours by now: it was left as it is`);
  },
});

async function stage(context: Context, inputs: TemplateInputs): Promise<void> {
  const there = await whyNotThere(context, inputs);
  if (there.length !== undefined) return fetchThere(context, inputs, there.length);
  context.phase(`fetching through this machine: ${there.reason}`);
  await stream(context, inputs, there.reason);
}

/** The file's length where the server reaches the address, else why it is not the server that fetches. */
async function whyNotThere(
  context: Context,
  inputs: TemplateInputs,
): Promise<{ length: number; reason?: never } | { length?: never; reason: string }> {
  if (inputs.through === "here") return { reason: "as asked for" };
  if (inputs.url.startsWith("file:")) return { reason: "it is a file here" };
  const seen = await runOnServer(context, inputs.server, object(inputs), "template", words(context, inputs, "reach"));
  if (seen.length !== undefined) return { length: Number(seen.length) };
  if (inputs.through === "server") throw failed(inputs, { code: "fetch", message: `the NFS server does not reach it: ${seen.unreached}` });
  return { reason: `the NFS server does not reach it (${seen.unreached})` };
}
