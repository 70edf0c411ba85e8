// A stack whose release needs a system-VM template of ours: fetched while machines install, put into the secondary store, kept.
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { FileServer } from "../support/file-server.ts";
import { green, Project, red } from "../support/project.ts";
import { remains } from "../support/remains.ts";

const rowMilliseconds = 300_000;
const secondary = "/srv/nfs/half-kvm-secondary";
/** Where CloudStack looks for KVM's (cloudstack facts §7). */
const place = `${secondary}/template/tmpl/1/3`;
const web = new FileServer();
const images = ["first", "second"].map(() => Buffer.concat([Buffer.from("QFI\xfb", "latin1"), randomBytes(500_000)]));
const packed = images.map((image) => gzipSync(image));
const sum = (content: Buffer | undefined) =>
  createHash("sha256")
    .update(content ?? "")
    .digest("hex");
const seeded = () => {
  const image = readdirSync(place).find((name) => name.endsWith(".qcow2"));
  return sum(readFileSync(`${place}/${image}`));
};
const fetches = () => web.requests.filter((one) => one.startsWith("GET")).length;
let project: Project;
let clean: string[];

beforeAll(async () => {
  clean = await remains();
  await web.start("10.91.0.1");
  web.files.set("/first.qcow2.gz", packed[0] as Buffer);
  project = new Project();
  project.edit("Pulumi.kvm.yaml", (text) =>
    text
      .replace("lab-kvm.cfg", "half-kvm.cfg")
      // The lab's cloud is of another release: this stack has stores and hosts only.
      .replace("    release: 4.20.3.0\n", "    release: 4.15.2.0\n")
      .replace(/ {2}cloudstack-testbed:managementServer:\n.*\n/, "")
      .replace(
        /( {4}packages: .*\n)/,
        `$1    systemVmTemplate:\n      url: ${web.url("/first.qcow2.gz")}\n      sha256: ${sum(packed[0])}\n`,
      ),
  );
  await project.init();
}, rowMilliseconds);

afterAll(async () => {
  await project.destroy();
  project.remove();
  await web.stop();
  await closeSharedSsh();
}, rowMilliseconds);

test(
  "the template is fetched while the machines install, and stands in the secondary store as CloudStack looks for it",
  async () => {
    await green(project.up());
    expect(seeded()).toBe(sum(images[0]));
    const [properties] = readdirSync(place).filter((name) => name === "template.properties");
    expect(readFileSync(`${place}/${properties}`, "utf8")).toContain(
      `filename=${readdirSync(place).find((name) => name.endsWith(".qcow2"))}`,
    );
    const journal = project.journal();
    const fetched = journal.findIndex((entry) => entry.type === "nfs:Template" && entry.event === "end");
    const proved = journal.findLastIndex((entry) => entry.type === "baremetal:Host" && entry.event === "end");
    const emptied = journal.findIndex((entry) => entry.type === "nfs:Store" && entry.event === "start");
    expect([fetched < emptied, proved < emptied]).toEqual([true, true]);
  },
  rowMilliseconds,
);

test(
  "a second up fetches nothing, and a new generation of the whole puts the same file into the emptied store",
  async () => {
    const before = fetches();
    await green(project.preview("--expect-no-changes"));
    project.edit("Pulumi.kvm.yaml", (text) => text.replace('cloudstack-testbed:generation: "1"', 'cloudstack-testbed:generation: "2"'));
    await green(project.up());
    expect([seeded(), fetches()]).toEqual([sum(images[0]), before]);
  },
  rowMilliseconds,
);

test(
  "another template whose address answers 404 fails alone and leaves the store as it is; once it is there, the store has it",
  async () => {
    project.edit("Pulumi.kvm.yaml", (text) => text.replace("/first.qcow2.gz", "/second.qcow2.gz").replace(sum(packed[0]), sum(packed[1])));
    const output = await red(project.up());
    expect(output).toMatch(/second\.qcow2\.gz.*404/);
    expect(seeded()).toBe(sum(images[0]));
    web.files.set("/second.qcow2.gz", packed[1] as Buffer);
    expect(await green(project.up())).not.toMatch(/baremetal:Host/);
    expect(seeded()).toBe(sum(images[1]));
  },
  rowMilliseconds,
);

test(
  "destroy leaves neither store nor the template that waited",
  async () => {
    await green(project.destroy());
    expect(await remains()).toEqual(clean);
  },
  rowMilliseconds,
);
