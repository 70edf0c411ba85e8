// What nfs:Store makes of a waiting template, against the lab's real sshd, file system and NFS server.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type StoreInputs, type StoreTemplate, store } from "../../providers/nfs/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, ours, testContext } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { forgetStores, freshPath, nfsServer, onServer, storeAt } from "../support/nfs-server.ts";
import { checksumOf, image, packed, stage, sum, web } from "../support/nfs-template.ts";

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

describe("a seeded store", () => {
  const seeded = async (path: string, more: Partial<StoreInputs> = {}, mark = ours) => {
    const { outputs } = await stage({}, testContext(mark));
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
    expect((await store.observe(testContext(), parsed, undefined))?.inputs).toEqual({ generation: "1", template: undefined });
    await seeded(path);
    expect(await onServer('ls "$1" "$1"/template/tmpl/1/3 | grep -c -e volume -e qcow2', path)).toBe("2\n");
  });

  test("gets a copy where the template waits on another file system", async () => {
    const path = freshPath();
    await onServer('mkdir "$1" && mount -t tmpfs -o size=16m tmpfs "$1"', path);
    try {
      const { outputs } = await seeded(path);
      expect(`sha256:${await checksumOf(outputs.contents)}`).toBe(sum(image));
      await drop(store, storeAt(path), testContext());
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
    const error = await failure(apply(store, storeAt(path, { kind: "secondary", template: given }), testContext()));
    expect(error).toMatchObject({ code: "not-staged", remedy: expect.stringContaining("--refresh") });
    expect(await onServer('find "$1" -mindepth 1 ! -name ".cloudstack*"', path)).toBe("");
  });

  test("with a link in the template's way is refused", async () => {
    const path = freshPath();
    await apply(store, storeAt(path), testContext());
    await onServer('mkdir /srv/elsewhere && ln -s /srv/elsewhere "$1/template"', path);
    expect(await failure(seeded(path))).toMatchObject({ code: "symlink" });
    expect(await onServer("ls -A /srv/elsewhere; rmdir /srv/elsewhere")).toBe("");
  });

  test("that is primary is refused", async () => {
    expect(await failure(seeded(freshPath(), { kind: "primary" }))).toMatchObject({ kind: "invalid", code: "primary-template" });
  });

  test("that the release seeds itself stays empty, and says why", async () => {
    const reason = "release 4.20.3.0 seeds its stores from its own packages";
    const { outputs } = await apply(store, storeAt(freshPath(), { kind: "secondary", unseeded: reason }), testContext());
    expect(outputs.contents).toBe(`no template: ${reason}`);
  });
});
