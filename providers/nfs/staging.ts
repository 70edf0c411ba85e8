import { type Context, markText } from "../kernel/index.ts";
import { type NfsServer, nfsError, runOnServer, scriptText } from "./server.ts";
import { compressionOf, type ImageFormat } from "./system-vm.ts";

export interface TemplateInputs {
  server: NfsServer;
  roots: string[];
  mountedAt?: string | undefined;
  directory: string;
  url: string;
  checksum: string;
  format: ImageFormat;
  compression?: "bzip2" | "gzip" | "none" | undefined;
  unpackedBytes: number;
  through: "server" | "here" | "either";
  fetchSeconds: number;
}

export interface TemplateOutputs {
  staged: string;
  bytes: number;
}

/** What the worker on the server says of itself. */
export interface Progress {
  state: "done" | "running" | "stopped" | "absent";
  code: string;
  message: string;
  fetched: number;
  bytes: number;
}

/** The name of the template's folder: each stack keeps its own, and its mark is in it. */
export const folderName = (stack: string, checksum: string) => `${stack}-${checksum.split(":")[1]?.slice(0, 16)}`;
export const folderOf = (context: Context, inputs: Pick<TemplateInputs, "checksum">) => folderName(context.mark.stack, inputs.checksum);

/** Where the templates of the stores below a root wait. */
export const templatesBelow = (root: string) => `${root}/.cloudstack-testbed`;

export type Verb = "start" | "push" | "look" | "reach" | "remove" | "holder" | "take";

/** The words of template.sh. */
export function words(
  context: Context,
  inputs: TemplateInputs,
  verb: Verb,
  { expected = 0, restart = false, from = "" }: { expected?: number; restart?: boolean; from?: string } = {},
): string[] {
  const fetches = verb === "start" || verb === "push";
  const worker = fetches ? scriptText("guards") + scriptText("fetch") : "";
  // After a refresh of what is not whole, the state's address is no address.
  const compression = fetches ? (inputs.compression ?? compressionOf(inputs.url)) : "";
  return [
    ...[verb, inputs.directory, inputs.mountedAt ?? "", markText(context.mark), folderOf(context, inputs), worker, from],
    ...[inputs.url, inputs.checksum, compression, String(expected), String(inputs.unpackedBytes)],
    ...[inputs.format, restart ? "yes" : "no"],
    ...inputs.roots,
  ];
}

/** Removes a template's folder by its path, a worker in it ended first. */
export async function removeFolder(context: Context, place: Pick<TemplateInputs, "server" | "roots">, path: string): Promise<void> {
  const at = path.lastIndexOf("/");
  const where = ["remove", path.slice(0, at), "", markText(context.mark), path.slice(at + 1), ""];
  const what = ["", "", "", "", "", "", "", ""];
  await runOnServer(context, place.server, `template ${path}`, "template", [...where, ...what, ...place.roots]);
}

export const object = (inputs: TemplateInputs) => `template ${inputs.url.split("/").at(-1)}`;

export async function look(context: Context, inputs: TemplateInputs): Promise<Progress> {
  const seen = await runOnServer(context, inputs.server, object(inputs), "template", words(context, inputs, "look"));
  const [, code = "", message = ""] = (seen.said ?? "").split("\t");
  const state = (seen.state ?? "absent") as Progress["state"];
  return { state, code, message, fetched: Number(seen.fetched ?? 0), bytes: Number(seen.bytes ?? 0) };
}

/** `1.2 GiB` and the like, for the row. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Shows how far it is, once per twentieth: the journal keeps every phase. */
export function progressPhase(context: Context, what: string, total: number): (bytes: number) => void {
  let shown = -1;
  return (bytes) => {
    const step = total > 0 ? Math.floor((bytes * 20) / total) : Math.floor(bytes / 2 ** 27);
    if (step === shown) return;
    shown = step;
    context.phase(total > 0 ? `${what} ${step * 5} % of ${size(total)}` : `${what} ${size(bytes)}`);
  };
}

const remedies: Record<string, string> = {
  checksum: "correct the checksum in the stack configuration, or the file at the address; nothing was moved into a store",
  format: "correct the address or the hypervisor in the stack configuration",
  unpack: "correct the address in the stack configuration: it may answer with a page instead of the file",
  fetch: "correct the address in the stack configuration",
  cut: "run `pulumi up` again: it goes on where it was cut",
};

export function failed(inputs: TemplateInputs, progress: Pick<Progress, "code" | "message">): Error {
  const code = progress.code || "stopped";
  const message = progress.message || "the worker on the NFS server ended without a word";
  return nfsError(inputs.server, object(inputs), code, message, {
    kind: code === "cut" ? "unreachable" : "refused",
    remedy: remedies[code],
  });
}
