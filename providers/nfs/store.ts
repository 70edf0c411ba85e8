import { z } from "zod";
import { type Context, defineResource, limiter, markText, TestbedError } from "../kernel/index.ts";
import { checksum, directory, type NfsServer, placeInputs, runOnServer } from "./server.ts";
import { type ImageFormat, imageName } from "./system-vm.ts";

/** A verified template beside the store, and where it goes. */
export interface StoreTemplate {
  staged: string;
  checksum: string;
  format: ImageFormat;
  id: number;
}

export interface StoreInputs {
  server: NfsServer;
  roots: string[];
  mountedAt?: string | undefined;
  path: string;
  kind: "primary" | "secondary";
  generation: string;
  adopt: boolean;
  template?: StoreTemplate | undefined;
  unseeded?: string | undefined;
  onDelete: "purge" | "keep";
}

export interface StoreOutputs {
  location: string;
  contents: string;
}

/** Emptying millions of files takes its time; the connection itself is watched by keep-alives. */
const WIPE_SECONDS = 3600;

type Verb = "converge" | "look" | "purge" | "release" | "holder" | "take";

/**
 * Stores of one server are worked on side by side: each has a lock of its own there.
 * @param from whom `take` takes it from; `-` for nobody
 */
export function runStore(context: Context, inputs: StoreInputs, verb: Verb, from = ""): Promise<Record<string, string>> {
  const { template } = inputs;
  const words = [
    ...[
      verb,
      inputs.path,
      markText(context.mark),
      inputs.generation,
      verb === "take" ? from : inputs.adopt ? "yes" : "no",
      inputs.mountedAt ?? "",
    ],
    ...[template?.staged ?? "", template?.checksum ?? "", template ? String(template.id) : ""],
    ...[template?.format ?? "", template ? imageName(template.checksum, template.format) : ""],
    ...inputs.roots,
  ];
  return limiter(
    `nfs ${inputs.server.address}`,
    4,
  )(() => runOnServer(context, inputs.server, `store ${inputs.path}`, "store", words, { timeoutSeconds: WIPE_SECONDS }));
}

function outputs(inputs: StoreInputs, seen: Record<string, string>): StoreOutputs {
  const empty = inputs.unseeded ? `no template: ${inputs.unseeded}` : "no template";
  return { location: seen.location ?? "", contents: seen.template ?? empty };
}

function refuseSeededPrimary(inputs: StoreInputs): void {
  if (inputs.kind === "secondary" || !inputs.template) return;
  throw new TestbedError({
    system: `NFS server ${inputs.server.address}`,
    object: `store ${inputs.path}`,
    kind: "invalid",
    code: "primary-template",
    message: "a system-VM template belongs into secondary storage, and this is primary",
    remedy: "leave `template` out",
  });
}

export const store = defineResource<StoreInputs, StoreOutputs>({
  type: "nfs:Store",
  summary: "A directory of an NFS server as a store of this stack: marked, emptied once per generation, secondary storage seeded.",
  inputs: z.object({
    ...placeInputs,
    path: directory.describe("The store's directory. It is made when it is missing and the directory above it exists."),
    kind: z.enum(["primary", "secondary"]).describe("Which of CloudStack's two kinds of storage."),
    generation: z
      .string()
      .regex(/^(?!-$)[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, "must be a line of printable text")
      .describe("A new text means: emptied anew. It changes when every machine that could have it mounted has been re-imaged."),
    adopt: z.boolean().default(false).describe("Whether an unmarked directory that holds something may be taken, and emptied."),
    template: z
      .object({
        staged: directory.describe("The directory beside the stores in which it waits, on the same server."),
        checksum: checksum.describe("Checksum of the image, verified once more before it is put in."),
        format: z.enum(["qcow2", "vhd", "ova", "raw"]).describe("Format of the image: what the hypervisor wants."),
        id: z.number().int().positive().describe("Id of the template's row in CloudStack's database: the directory that it goes to."),
      })
      .optional()
      .describe("The system-VM template that secondary storage begins with: an `nfs:Template`'s outputs, and the id of its row."),
    unseeded: z.string().optional().describe("Why secondary storage gets no template; shown among the outputs."),
    onDelete: z
      .enum(["purge", "keep"])
      .default("purge")
      .describe("Whether the content goes with the store. What carries another mark stays in any case."),
  }),
  outputs: {
    location: "Device and directory on it.",
    contents: "Path of the template in it, or why there is none.",
  },
  replaceOn: ["server.address", "path", "kind"],
  deadlineSeconds: 1800,
  id: (inputs) => `store/${inputs.server.address}${inputs.path}`,
  async observe(context, inputs) {
    const seen = await runStore(context, inputs, "look");
    if (seen.generation === undefined) return undefined;
    return {
      inputs: { generation: seen.generation, ...(inputs.template && !seen.template ? { template: undefined } : {}) },
      outputs: outputs(inputs, seen),
    };
  },
  async reconcile(context, inputs, observed) {
    refuseSeededPrimary(inputs);
    if (observed?.inputs.generation !== inputs.generation) context.phase("emptying");
    context.touched();
    const seen = await runStore(context, inputs, "converge");
    const made = outputs(inputs, seen);
    context.phase(`${seen.wiped ? "emptied, " : ""}${seen.template ? "seeded" : made.contents}`);
    return made;
  },
  async remove(context, state) {
    const seen = await runStore(context, state, state.onDelete === "purge" ? "purge" : "release");
    if (seen.foreign) context.warn(`${state.path} belongs to ${seen.foreign} by now: it was left as it is`);
  },
});
