import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type TemplateInputs, template } from "../../providers/nfs/index.ts";
import { apply, testContext } from "./context.ts";
import { FileServer } from "./file-server.ts";
import { nfsRoot, nfsServer, onServer } from "./nfs-server.ts";

/** Where templates wait. */
export const waiting = `${nfsRoot}/.templates`;
export const web = new FileServer();
/** What cannot be packed any smaller, so that a cut in the middle is one. */
export const image = Buffer.concat([Buffer.from("QFI\xfb", "latin1"), randomBytes(3_000_000)]);
export const packed = gzipSync(image, { level: 1 });
export const sum = (content: Buffer, algorithm = "sha256") => `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;

/** The inputs of that template, served by `web`. */
export function templateInputs(more: Partial<TemplateInputs> = {}): Partial<TemplateInputs> {
  if (!web.files.has("/t.qcow2.gz")) web.files.set("/t.qcow2.gz", packed);
  const url = more.url ?? web.url("/t.qcow2.gz");
  return { server: nfsServer, roots: [nfsRoot], directory: waiting, checksum: sum(packed), format: "qcow2", ...more, url };
}
export const stage = (more: Partial<TemplateInputs> = {}, context = testContext()) => apply(template, templateInputs(more), context);
export const lookAt = async (more: Partial<TemplateInputs> = {}) =>
  template.observe(testContext(), template.inputs.parse(templateInputs(more)) as unknown as TemplateInputs, undefined);
export const checksumOf = async (path: string) => (await onServer('sha256sum <"$1"', path)).split(" ")[0];
/** Where each transfer began. */
export const gets = () => web.requests.filter((one) => one.startsWith("GET")).map((one) => Number(one.split(" ")[2]));
