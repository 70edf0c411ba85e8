// Runs inside the benchmark's lab: wipes or seeds a store through the provider's own code, and does the same bare. Prints seconds as JSON.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Context, Definition } from "../providers/kernel/index.ts";
import { store, template } from "../providers/nfs/index.ts";
import { closeSharedSsh } from "../providers/transport/ssh.ts";

const server = {
  address: "10.91.0.1",
  user: "root",
  hostKey: readFileSync("lab/keys/driver_host_ed25519.pub", "utf8").trim(),
  credential: "driver",
};
const place = { server, roots: ["/srv/nfs"] };

const context: Context = {
  name: "bench",
  urn: "urn:bench",
  operation: "update",
  signal: new AbortController().signal,
  mark: { project: "cloudstack-testbed", stack: "bench", owner: "00000000000000be" },
  phase: () => undefined,
  touched: () => undefined,
  credential: () => ({ privateKey: readFileSync("lab/keys/id_ed25519", "utf8") }),
  warn: (text) => void process.stderr.write(`${text}\n`),
};

async function timed(action: () => unknown): Promise<number> {
  const began = performance.now();
  await action();
  return (performance.now() - began) / 1000;
}

const sh = (script: string) => execFileSync("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" }).trim();

async function converge<I extends object, O extends object>(definition: Definition<I, O>, given: object): Promise<O> {
  const inputs = definition.inputs.parse(given) as I;
  return definition.reconcile(context, inputs, await definition.observe(context, inputs, undefined), undefined);
}

async function remove<I extends object, O extends object>(definition: Definition<I, O>, given: object): Promise<void> {
  await definition.remove(context, definition.inputs.parse(given) as I & O);
}

/** 100,000 files in 100 directories. */
const fill = (folder: string) =>
  sh(
    `mkdir -p ${folder} && cd ${folder} && seq 100 | xargs mkdir -p && for d in *; do (cd "$d" && seq 1000 | xargs touch); done; sync -f .`,
  );

async function wipe(): Promise<Record<string, number>> {
  const inputs = { ...place, path: "/srv/nfs/bench", kind: "primary", generation: "1" };
  await converge(store, inputs);
  fill("/srv/nfs/bench");
  const ours = await timed(() => converge(store, { ...inputs, generation: "2" }));
  await remove(store, inputs);
  fill("/srv/nfs/bare");
  const bare = await timed(() => sh("find /srv/nfs/bare -xdev -mindepth 1 -delete"));
  sh("rmdir /srv/nfs/bare");
  return { ours, bare };
}

/** A file as a system-VM template is: 2 GB, three quarters of it empty, packed by bzip2. Made once. */
function packed(): string {
  const file = "/srv/lab/images/bench.qcow2.bz2";
  const quarter = "head -c 536870912 /dev/urandom; head -c 1610612733 /dev/zero";
  sh(`[ -e ${file} ] || { { printf QFI; ${quarter}; } | bzip2 -1 >${file}.new && mv ${file}.new ${file}; }`);
  return file;
}

async function seed(): Promise<Record<string, number>> {
  const file = packed();
  const url = `http://${server.address}/lab/bench.qcow2.bz2`;
  const [digest] = sh(`sha256sum ${file}`).split(" ");
  const inputs = { ...place, directory: "/srv/nfs/.templates", url, checksum: `sha256:${digest}`, format: "qcow2" };
  // What an interrupted measurement left would be no measurement.
  await remove(template, inputs);
  let staged = "";
  const ours = await timed(async () => ({ staged } = await converge(template, inputs)));
  const image = `${staged}/image`;
  const alone = {
    fetch: await timed(() => sh(`curl -sf -o /dev/null ${url}`)),
    unpack: await timed(() => sh(`bzip2 -dc ${file} >/dev/null`)),
    checksum: await timed(() => sh(`sha256sum ${file}`)),
    write: await timed(() => sh(`cat ${image} >/srv/nfs/.bench-write && sync /srv/nfs/.bench-write; rm /srv/nfs/.bench-write`)),
  };
  await remove(template, inputs);
  return { ours, ...alone };
}

const seconds = await (process.argv[2] === "wipe" ? wipe() : seed());
await closeSharedSsh();
process.stdout.write(`${JSON.stringify(seconds)}\n`);
