// nfs:Template against the lab's real sshd and file system, and a file server that misbehaves.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type TemplateInputs, template } from "../../providers/nfs/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { drop, failure, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { forgetStores, nfsRoot, nfsServer, onServer } from "../support/nfs-server.ts";
import { checksumOf, gets, image, lookAt, packed, stage, sum, templateInputs, waiting, web } from "../support/nfs-template.ts";

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
    const refreshed = (await lookAt({ through }))?.inputs;
    expect(refreshed).toEqual({ url: "not verified (1.4 MiB fetched)" });
    const inputs = { ...template.inputs.parse(templateInputs()), ...refreshed } as unknown as TemplateInputs;
    expect((await template.observe(testContext(), inputs, undefined))?.inputs).toEqual(refreshed);
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
    expect((await lookAt({ through }))?.inputs.url).toContain("not verified");
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

  test.each(["server", "here"] as const)("a file behind a redirection, of which nobody says how long it is, by %s", async (through) => {
    web.moved.set("/latest.qcow2.gz", "/t.qcow2.gz");
    web.lengths = false;
    const { outputs } = await stage({ through, url: web.url("/latest.qcow2.gz") });
    expect(`sha256:${await checksumOf(`${outputs.staged}/image`)}`).toBe(sum(image));
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
    const interrupted = stage({ through: "server" }, { ...testContext(), signal: stop.signal });
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
    expect((await drop(template, templateInputs(), testContext()))[0]).toContain("is not ours by now");
    expect(await onServer('ls "$1"', outputs.staged)).toContain("image");
  });

  test.each([
    ["http://user:secret@x/t.bz2", "user or password"],
    ["ftp://x/t.bz2", "http, https or file"],
  ])("%s is refused by the check of the inputs", (url, reason) => {
    const checked = template.inputs.safeParse(templateInputs({ url }));
    expect(checked.error?.issues[0]?.message).toContain(reason);
  });
});

describe("delete of a template", () => {
  test("its folder goes, and another one's stays", async () => {
    const another = { ...theirs, stack: "another" };
    await stage();
    await stage({}, testContext(another));
    await drop(template, templateInputs(), testContext());
    expect((await onServer('ls "$1"', waiting)).trim()).toMatch(/^another-[0-9a-f]{16}$/);
    await drop(template, templateInputs(), testContext(another));
    expect(await onServer('ls -A "$1"', nfsRoot)).toBe("");
  });

  test("a worker that fetches is ended first", async () => {
    web.pace = 100_000;
    const fetching = failure(stage({ through: "server" }));
    while (gets().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await drop(template, templateInputs(), testContext());
    await fetching;
    expect(await onServer('ls -A "$1"', nfsRoot)).toBe("");
  });
});
