import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import {
  type Context,
  changedFor,
  defineResource,
  findMarks,
  joinedWith,
  keptFor,
  limiter,
  type Mark,
  markText,
  TestbedError,
  withoutMark,
} from "../kernel/index.ts";
import { type Driver, driverSchema, driverTarget, runOnDriver } from "../site/index.ts";
import { connectSsh } from "../transport/ssh.ts";
import { digestOf, type FileDigests, localFiles, SITE_MANIFEST } from "./module-files.ts";
import { CLAIM, LIST, RELEASE, REMOVE_FILES } from "./module-scripts.ts";

export interface ModulesInputs {
  server: Driver;
  source: string;
  digest: string;
  modulesDirectory: string;
  manifestsDirectory: string;
}

export interface ModulesOutputs {
  files: number;
}

interface Remote {
  files: FileDigests;
  /** The modules that carry this stack's mark. */
  modules: string[];
  /** The other stacks that use one of them. */
  others: Mark[];
}

const distinctMarks = (lines: readonly string[]) => findMarks([...new Set(lines)].join("\n"));

const manifestsOf = (inputs: ModulesInputs) => inputs.manifestsDirectory || join(dirname(inputs.modulesDirectory), "manifests");

export function onDriver(context: Context, inputs: ModulesInputs, script: string, words: readonly string[] = []): Promise<string> {
  const args = [inputs.modulesDirectory, manifestsOf(inputs), markText(context.mark), ...words];
  return runOnDriver(context, inputs.server, `puppet modules in ${inputs.modulesDirectory}`, script, args);
}

async function remote(context: Context, inputs: ModulesInputs): Promise<Remote> {
  const lines = (await onDriver(context, inputs, LIST)).split("\n");
  const words = (key: string) => lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const files = words("file").map((line) => [line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" "))] as const);
  return { files: new Map(files), modules: words("module"), others: withoutMark(distinctMarks(words("user")), context.mark) };
}

async function write(context: Context, inputs: ModulesInputs, paths: readonly string[]): Promise<void> {
  const connection = await connectSsh(driverTarget(context, inputs.server));
  try {
    for (const path of paths) {
      const target =
        path === SITE_MANIFEST ? join(manifestsOf(inputs), "site.pp") : join(inputs.modulesDirectory, path.slice("modules/".length));
      await connection.files.write(target, readFileSync(join(inputs.source, path)));
    }
  } finally {
    connection.close();
  }
}

const failure = (inputs: ModulesInputs, code: string, message: string, remedy: string) =>
  new TestbedError({
    system: code === "changed-here" ? "the checkout" : `driver ${inputs.server.address}`,
    object: code === "changed-here" ? inputs.source : inputs.modulesDirectory,
    kind: code === "changed-here" ? "invalid" : "conflict",
    code,
    message,
    remedy,
  });

const below = (paths: Iterable<string>) => [...paths].filter((path) => path !== SITE_MANIFEST).map((path) => path.slice("modules/".length));

/** The modules that files belong to. */
export const moduleNames = (files: FileDigests) => [...new Set(below(files.keys()).map((path) => path.split("/")[0] as string))];

/** Brings the driver's modules to the wanted files, writing only what differs. */
async function distribute(context: Context, inputs: ModulesInputs): Promise<number> {
  const wanted = localFiles(inputs.source);
  if (digestOf(wanted) !== inputs.digest) throw failure(inputs, "changed-here", "changed while `pulumi up` ran", "run `pulumi up` again");
  const held = (await remote(context, inputs)).modules.length > 0;
  context.touched();
  await onDriver(context, inputs, CLAIM, [...new Set(below(wanted.keys()).map((path) => dirname(path)))]);
  await onDriver(context, inputs, RELEASE, moduleNames(wanted));
  const { files: present, others } = await remote(context, inputs);
  const changed = [...wanted].filter(([path, digest]) => present.get(path) !== digest).map(([path]) => path);
  const gone = below([...present.keys()].filter((path) => !wanted.has(path)));
  if (changed.length + gone.length > 0) {
    if (others.length > 0) context.warn(changedFor(others));
    context.phase(`writing ${changed.length} files, removing ${gone.length}`);
    await write(context, inputs, changed);
    if (gone.length > 0) await onDriver(context, inputs, REMOVE_FILES, gone);
    const { files: after } = await remote(context, inputs);
    const differs = [...new Set([...wanted.keys(), ...after.keys()])].filter((path) => wanted.get(path) !== after.get(path));
    if (differs.length > 0) {
      throw failure(
        inputs,
        "changed-there",
        `differs from what was just written: ${differs.join(", ")}`,
        "another stack, or somebody, writes there at the same time: run `pulumi up` again",
      );
    }
  } else if (others.length > 0 && !held) context.phase(joinedWith(others));
  return wanted.size;
}

const oneAtATime = (inputs: ModulesInputs) => limiter(`puppet modules ${inputs.server.address}`, 1);

export const modules = defineResource<ModulesInputs, ModulesOutputs>({
  type: "puppet:Modules",
  summary: "The puppet modules of the site's roles and the site's manifest, put on the driver; only files that differ are written.",
  inputs: z.object({
    server: driverSchema.describe("The driver, which is the puppet master."),
    source: z.string().min(1).describe("The folder that holds `modules/` and `manifests/site.pp`, relative to the project folder."),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe("Digest of those files (`modulesDigest`)."),
    modulesDirectory: z.string().startsWith("/").describe("Where the master looks for modules."),
    manifestsDirectory: z
      .string()
      .regex(/^(\/.*)?$/, "must be an absolute path")
      .default("")
      .describe("Where it looks for the site's manifest; empty: `manifests` beside the modules."),
  }),
  outputs: { files: "How many files were distributed." },
  replaceOn: ["server.address", "modulesDirectory", "manifestsDirectory"],
  deadlineSeconds: 300,
  id: (inputs) => `modules/${inputs.modulesDirectory}`,
  async observe(context, inputs) {
    const { files, modules: marked } = await remote(context, inputs);
    if (marked.length === 0) return undefined;
    return { inputs: { digest: digestOf(files) }, outputs: { files: files.size } };
  },
  reconcile: (context, inputs) => oneAtATime(inputs)(async () => ({ files: await distribute(context, inputs) })),
  async remove(context, state) {
    const kept = await oneAtATime(state)(() => onDriver(context, state, RELEASE));
    const others = distinctMarks(kept.split("\n"));
    if (others.length > 0) context.phase(keptFor(others));
  },
});
