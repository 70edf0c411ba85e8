// nfs:Template and what nfs:Store makes of it, against the lab's real sshd, file system and NFS server.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type StoreInputs, type StoreTemplate, store, type TemplateInputs, template } from "../../providers/nfs/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, ours, testContext, theirs } from "../support/context.ts";
import { FileServer } from "../support/file-server.ts";
import { fault } from "../support/lab.ts";
import { forgetStores, freshPath, nfsContext, nfsRoot, nfsServer, onServer, storeAt } from "../support/nfs-server.ts";

const waiting = `${nfsRoot}/.templates`;
const web = new FileServer();
/** What cannot be packed any smaller, so that a cut in the middle is one. */
const image = Buffer.concat([Buffer.from("QFI\xfb", "latin1"), randomBytes(3_000_000)]);
const packed = gzipSync(image, { level: 1 });
const sum = (content: Buffer, algorithm = "sha256") => `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;

beforeAll(() => web.start(nfsServer.address));
afterAll(async () => {
  await web.stop();
  await closeSharedSsh();
});
afterEach(async () => {
  web.reset();
  await fault("nfs", "clear");
  await forgetStores();
});

function inputs(more: Partial<TemplateInputs> = {}): Partial<TemplateInputs> {
  if (!web.files.has("/t.qcow2.gz")) web.files.set("/t.qcow2.gz", packed);
  const url = more.url ?? web.url("/t.qcow2.gz");
  return { server: nfsServer, roots: [nfsRoot], directory: waiting, checksum: sum(packed), format: "qcow2", ...more, url };
}
const stage = (more: Partial<TemplateInputs> = {}, context = nfsContext()) => apply(template, inputs(more), context);
const look = async (more: Partial<TemplateInputs> = {}) =>
  template.observe(nfsContext(), template.inputs.parse(inputs(more)) as unknown as TemplateInputs, undefined);
const checksumOf = async (path: string) => (await onServer('sha256sum <"$1"', path)).split(" ")[0];
const gets = () => web.requests.filter((one) => one.startsWith("GET")).map((one) => Number(one.split(" ")[2]));

describe.each(["server", "here"] as const)("fetched by %s", (through) => {
  test("it is unpacked, verified and alone in its folder; again, nothing is fetched", async () => {
    const { outputs, phases } = await stage({ through });
    expect(outputs.bytes).toBe(image.length);
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
    expect((await onServer('ls "$1"', outputs.staged)).split("\n")).not.toContain("download.part");
    expect(phases.at(-1)).toBe("verified, 2.9 MiB");
    web.requests.length = 0;
    expect((await stage({ through })).outputs).toEqual(outputs);
    expect(web.requests).toEqual([]);
  });

  test("a transfer that is cut goes on where it was cut, in the same run", async () => {
    web.cuts = [1_000_000, 700_000];
    const { outputs } = await stage({ through });
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
    expect(gets()).toEqual([0, 1_000_000, 1_700_000]);
  });

  test("what an interrupted run has fetched is not fetched again", async () => {
    web.cuts = [1_500_000, 0, 0, 0, 0, 0, 0, 0];
    const error = await failure(stage({ through }));
    expect(error).toMatchObject({ kind: "unreachable", code: "cut", remedy: expect.stringContaining("goes on where it was cut") });
    expect((await look({ through }))?.inputs).toEqual({ checksum: "not verified (1.4 MiB fetched)" });
    web.cuts = [];
    web.requests.length = 0;
    const { outputs } = await stage({ through });
    expect(gets()).toEqual([1_500_000]);
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
  });

  test("a file that changed since the interrupted run is fetched from its beginning", async () => {
    web.files.set("/t.qcow2.gz", gzipSync(Buffer.concat([image, image])));
    web.cuts = [1_500_000];
    web.gone = true;
    expect(await failure(stage({ through }))).toMatchObject({ code: "fetch" });
    web.files.set("/t.qcow2.gz", packed);
    web.gone = false;
    const { outputs } = await stage({ through });
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
  });

  test("a wrong checksum is refused with both, and nothing is kept", async () => {
    const wrong = `sha256:${"0".repeat(64)}`;
    const error = await failure(stage({ through, checksum: wrong }));
    expect(error).toMatchObject({ kind: "refused", code: "checksum" });
    expect(error.message).toContain(`expected ${wrong}, got ${sum(packed)}`);
    expect(await onServer('find "$1" -name "*.part" -o -name image -o -name verified', waiting)).toBe("");
  });

  test("a page instead of the file is refused as that", async () => {
    web.files.set("/page.qcow2.gz", Buffer.from("<html>Log in first</html>"));
    expect(await failure(stage({ through, url: web.url("/page.qcow2.gz") }))).toMatchObject({ kind: "refused", code: "unpack" });
  });

  test("a file that is not there is refused with the status", async () => {
    const error = await failure(stage({ through, url: web.url("/none.qcow2.gz") }));
    expect(error).toMatchObject({ kind: "refused", code: "fetch" });
    expect(error.message).toContain("404");
  });

  test("an image of another format is refused though its checksum is right", async () => {
    expect(await failure(stage({ through, format: "vhd" }))).toMatchObject({ kind: "refused", code: "format" });
  });

  test("a disk without room is refused before anything is fetched", async () => {
    await onServer('mkdir -p "$1"', waiting);
    await fault("nfs", "full");
    await onServer('rm "$1/.filler"', nfsRoot);
    const error = await failure(stage({ through }));
    expect(error).toMatchObject({ kind: "refused", code: "full" });
    expect(error.message).toMatch(/\d+ bytes are free, and \d+ are needed/);
    await fault("nfs", "clear");
    await stage({ through });
  });

  test("an image that was changed by hand is fetched again", async () => {
    const { outputs } = await stage({ through });
    await onServer('echo spoiled >>"$1/image"', outputs.staged);
    expect((await look({ through }))?.inputs.checksum).toContain("not verified");
    await stage({ through });
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
  });
});

describe("ways", () => {
  test("where the address cannot begin in the middle, a cut transfer begins anew", async () => {
    web.ranges = false;
    web.cuts = [1_000_000];
    await stage({ through: "server" });
    expect(gets().filter((from) => from !== 0)).toEqual([]);
  });

  test.each(["bzip2", "none"] as const)("what is packed by %s", async (compression) => {
    const content = compression === "none" ? image : Buffer.from(await onServer('printf "QFI hello" | bzip2 -c | base64'), "base64");
    const path = compression === "none" ? "/t.qcow2" : "/t.qcow2.bz2";
    web.files.set(path, content);
    const { outputs } = await stage({ url: web.url(path), checksum: sum(content, "sha512") });
    expect(await onServer('head -c 3 "$1/image"', outputs.staged)).toBe("QFI");
    expect(outputs.bytes).toBe(compression === "none" ? image.length : 9);
  });

  test("an address that only this machine reaches is streamed through it, and the row says why", async () => {
    await onServer(
      "mkdir -p /run/nfs-test && printf '#!/bin/sh\\necho \"curl: (7) no route\" >&2; exit 7\\n' >/usr/local/bin/curl && chmod 755 /usr/local/bin/curl",
    );
    try {
      const { phases } = await stage();
      expect(phases[0]).toMatch(/^fetching through this machine: the NFS server does not reach it \(curl: \(7\) no route\)/);
      expect(phases.some((phase) => /^streaming through this machine, \d+ % of 2\.9 MiB/.test(phase))).toBe(true);
      expect(await failure(stage({ through: "server", checksum: sum(image) }))).toMatchObject({
        code: "fetch",
        message: expect.stringContaining("no route"),
      });
    } finally {
      await onServer("rm /usr/local/bin/curl");
    }
  });

  test("a file of this machine is streamed to the server", async () => {
    const folder = mkdtempSync(join(tmpdir(), "template-"));
    writeFileSync(join(folder, "t.qcow2.gz"), packed);
    const { outputs } = await stage({ url: `file://${folder}/t.qcow2.gz` });
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
    rmSync(folder, { recursive: true });
  });

  test("the server goes on when `up` is interrupted, and the next run waits for it instead of fetching twice", async () => {
    web.pace = 1_500_000;
    const stop = new AbortController();
    const interrupted = stage({ through: "server" }, { ...nfsContext(), signal: stop.signal });
    while (gets().length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(interrupted).rejects.toThrow("abort");
    const { phases } = await stage({ through: "server" });
    expect(gets()).toEqual([0]);
    expect(phases.some((phase) => /on the server, \d+ %/.test(phase))).toBe(true);
  });

  test("a worker that was killed leaves what it has fetched, and the next run goes on", async () => {
    web.pace = 1_500_000;
    const first = failure(stage({ through: "server" }));
    await onServer(
      'for i in $(seq 200); do [ "$(stat -c %s "$1"/*/download.part 2>/dev/null || echo 0)" -lt 500000 ] || break; sleep 0.05; done; kill -KILL "-$(cat "$1"/*/pid)"',
      waiting,
    );
    expect(await first).toMatchObject({ code: "stopped" });
    web.pace = 0;
    web.requests.length = 0;
    await stage({ through: "server" });
    expect(gets()[0]).toBeGreaterThanOrEqual(500_000);
  });

  test("a place outside the roots is refused, and so is another stack's folder", async () => {
    expect(await failure(stage({ directory: "/srv/lab/images/t" }))).toMatchObject({ code: "outside-roots" });
    const { outputs } = await stage();
    await onServer('echo somebody >"$1/owner"', outputs.staged);
    expect(await failure(stage())).toMatchObject({ kind: "conflict", code: "foreign" });
    expect((await drop(template, inputs(), nfsContext()))[0]).toContain("is not ours by now");
    expect(await onServer('ls "$1"', outputs.staged)).toContain("image");
  });

  test.each([
    ["http://user:secret@x/t.bz2", "user or password"],
    ["ftp://x/t.bz2", "http, https or file"],
  ])("%s is refused by the check of the inputs", (url, reason) => {
    const checked = template.inputs.safeParse(inputs({ url }));
    expect(checked.error?.issues[0]?.message).toContain(reason);
  });
});

describe("delete of a template", () => {
  test("its folder goes, and another one's stays", async () => {
    await stage();
    await stage({}, nfsContext(theirs));
    await drop(template, inputs(), nfsContext());
    expect((await onServer('ls "$1"', waiting)).trim()).toMatch(/^contract-00000000000000bb-[0-9a-f]{16}$/);
    await drop(template, inputs(), nfsContext(theirs));
    expect(await onServer('ls -A "$1"', nfsRoot)).toBe("");
  });

  test("a worker that fetches is ended first", async () => {
    web.pace = 100_000;
    const fetching = failure(stage({ through: "server" }));
    while (gets().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await drop(template, inputs(), nfsContext());
    await fetching;
    expect(await onServer('ls -A "$1"', nfsRoot)).toBe("");
  });
});

describe("a seeded store", () => {
  const seeded = async (path: string, more: Partial<StoreInputs> = {}, mark = ours) => {
    const { outputs } = await stage({}, nfsContext(mark));
    const given: StoreTemplate = { staged: outputs.staged, checksum: sum(packed), format: "qcow2", id: 3 };
    return apply(store, storeAt(path, { kind: "secondary", template: given, ...more }), testContext(mark));
  };

  test("holds the template in CloudStack's layout, seen by a client of the NFS server", async () => {
    const path = freshPath();
    const { outputs } = await seeded(path);
    const file = outputs.contents.split("/").at(-1);
    expect(outputs.contents).toBe(`${path}/template/tmpl/1/3/${file}`);
    expect(file).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.qcow2$/);
    const address = `nfs://${nfsServer.address}${path}/template/tmpl/1/3`;
    const properties = await onServer('nfs-cat "$1"', `${address}/template.properties?version=4`);
    expect(properties.trim().split("\n")).toEqual([
      "qcow2=true",
      "id=3",
      "public=true",
      `qcow2.filename=${file}`,
      "uniquename=routing-3",
      `qcow2.virtualsize=${image.length}`,
      `virtualsize=${image.length}`,
      `qcow2.size=${image.length}`,
    ]);
    expect(`sha256:${(await onServer('nfs-cat "$1" | sha256sum', `${address}/${file}?version=4`)).split(" ")[0]}`).toBe(sum(image));
  });

  test("is seeded again in a new generation without fetching again, and two stores share one template", async () => {
    const [first, second] = [freshPath(), freshPath()];
    await seeded(first);
    await seeded(second);
    await onServer('touch "$1/snapshots"', first);
    web.requests.length = 0;
    await seeded(first, { generation: "2" });
    expect(web.requests).toEqual([]);
    expect((await onServer('ls "$1"', first)).trim()).toBe("template");
    expect(await onServer('stat -c %h "$1"/template/tmpl/1/3/*.qcow2', second)).toBe("3\n");
  });

  test("whose template was removed by hand is drift, and is seeded without being emptied", async () => {
    const path = freshPath();
    await seeded(path);
    await onServer('touch "$1/volume" && rm "$1"/template/tmpl/1/3/*.qcow2', path);
    const given = { staged: "/srv/nfs/x", checksum: sum(packed), format: "qcow2", id: 3 } as const;
    const parsed = store.inputs.parse(storeAt(path, { kind: "secondary", template: given })) as unknown as StoreInputs;
    expect((await store.observe(nfsContext(), parsed, undefined))?.inputs).toEqual({ generation: "1", template: undefined });
    await seeded(path);
    expect(await onServer('ls "$1" "$1"/template/tmpl/1/3 | grep -c -e volume -e qcow2', path)).toBe("2\n");
  });

  test("gets a copy where the template waits on another file system", async () => {
    const path = freshPath();
    await onServer('mkdir "$1" && mount -t tmpfs -o size=16m tmpfs "$1"', path);
    try {
      const { outputs } = await seeded(path);
      expect(`sha256:${await checksumOf(outputs.contents)}`).toBe(sum(image));
      await drop(store, storeAt(path), nfsContext());
      expect(await onServer('ls -A "$1"', path)).toBe("");
    } finally {
      await onServer('umount "$1"', path);
    }
  });

  test("without room for the copy is refused, and seeded once there is", async () => {
    const path = freshPath();
    await onServer('mkdir "$1" && mount -t tmpfs -o size=1m tmpfs "$1"', path);
    try {
      const error = await failure(seeded(path));
      expect(error).toMatchObject({ kind: "refused", code: "full" });
      expect(error.message).toContain(`the template needs ${image.length}`);
      await onServer('mount -o remount,size=16m "$1"', path);
      await seeded(path);
    } finally {
      await onServer('umount "$1"', path);
    }
  });

  test.each([
    ["is not there", 'rm -r "$1"'],
    ["was changed after it was verified", 'echo x >>"$1/image"'],
  ])("whose waiting template %s is refused, and nothing is moved", async (_, spoil) => {
    const path = freshPath();
    const { outputs } = await stage();
    await onServer(spoil, outputs.staged);
    const given: StoreTemplate = { staged: outputs.staged, checksum: sum(packed), format: "qcow2", id: 3 };
    const error = await failure(apply(store, storeAt(path, { kind: "secondary", template: given }), nfsContext()));
    expect(error).toMatchObject({ code: "not-staged", remedy: expect.stringContaining("--refresh") });
    expect(await onServer('find "$1" -mindepth 1 ! -name ".cloudstack*"', path)).toBe("");
  });

  test("with a link in the template's way is refused", async () => {
    const path = freshPath();
    await apply(store, storeAt(path), nfsContext());
    await onServer('mkdir /srv/elsewhere && ln -s /srv/elsewhere "$1/template"', path);
    expect(await failure(seeded(path))).toMatchObject({ code: "symlink" });
    expect(await onServer("ls -A /srv/elsewhere; rmdir /srv/elsewhere")).toBe("");
  });

  test("that is primary is refused", async () => {
    expect(await failure(seeded(freshPath(), { kind: "primary" }))).toMatchObject({ kind: "invalid", code: "primary-template" });
  });

  test("that the release seeds itself stays empty, and says why", async () => {
    const reason = "release 4.20.3.0 seeds its stores from its own packages";
    const { outputs } = await apply(store, storeAt(freshPath(), { kind: "secondary", unseeded: reason }), nfsContext());
    expect(outputs.contents).toBe(`no template: ${reason}`);
  });
});
