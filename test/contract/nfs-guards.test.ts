// What no store may do or be, refused on the NFS server itself.
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { store } from "../../providers/nfs/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { failure, testContext } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { converge, forgetStores, freshPath, list, nfsRoot, onServer, remove, seen, storeAt, storeMarker } from "../support/nfs-server.ts";

afterAll(closeSharedSsh);

afterEach(async () => {
  await fault("nfs", "clear");
  await forgetStores();
});

describe("places that are never touched", () => {
  test.each([
    ["/", "denied", ["/"]],
    ["/srv", "denied", ["/"]],
    ["/usr/share/nfs", "denied", ["/usr/share"]],
    ["/var/lib/nfs", "denied", ["/var/lib"]],
    ["/etc/exports.d", "denied", ["/etc"]],
    ["/srv/nfs", "outside-roots", ["/srv/nfs"]],
    ["/srv/nfs-other/a", "outside-roots", ["/srv/nfs"]],
    ["/srv/nfs/../lab", "path", ["/srv/nfs"]],
    ["/srv/nfs//a", "path", ["/srv/nfs"]],
    ["/srv/nfs/a/", "path", ["/srv/nfs"]],
    ["srv/nfs/a", "path", ["/srv/nfs"]],
    ["/srv/nfs/a b", "path", ["/srv/nfs"]],
    ["/srv/nfs/$(id)", "path", ["/srv/nfs"]],
  ])("%p is refused on the server itself (%s), whatever the check of the inputs says", async (path, code, roots) => {
    const inputs = { ...storeAt(nfsRoot, { roots }), path, onDelete: "purge" } as never;
    for (const attempt of [() => store.reconcile(testContext(), inputs, undefined, undefined), () => store.remove(testContext(), inputs)])
      expect(await failure(attempt())).toMatchObject({ kind: "invalid", code });
  });

  test.each(["relative", "/", "/a/../b", "/a/./b", "/a//b", "/a/", "/a b/c", "/a/$x", "/a/*"])(
    "%p is refused by the check of the inputs",
    (path) => {
      expect(store.inputs.safeParse(storeAt(path)).success).toBe(false);
    },
  );

  test("a link to a directory outside the root is refused", async () => {
    const path = freshPath();
    await onServer('mkdir -p /srv/elsewhere && echo precious >/srv/elsewhere/file && ln -s /srv/elsewhere "$1"', path);
    const error = await failure(converge(path, { adopt: true }));
    expect(error).toMatchObject({ code: "symlink" });
    expect(error.message).toContain("leads to /srv/elsewhere");
    expect(await onServer("cat /srv/elsewhere/file; rm -r /srv/elsewhere")).toBe("precious\n");
  });

  test("a link on the way is refused, also one that stays below the root", async () => {
    const path = freshPath();
    const link = freshPath();
    await onServer('mkdir -p "$1/store" && ln -s "$1" "$2"', path, link);
    expect(await failure(converge(`${link}/store`, { adopt: true }))).toMatchObject({ code: "symlink" });
  });

  test("a directory that became a link after adoption is refused at the next wipe and at delete", async () => {
    const path = freshPath();
    await converge(path);
    await onServer(
      'mkdir /srv/elsewhere && cp "$1/$2" /srv/elsewhere/ && echo precious >/srv/elsewhere/file && rm -r "$1" && ln -s /srv/elsewhere "$1"',
      path,
      storeMarker,
    );
    expect(await failure(converge(path, { generation: "2" }))).toMatchObject({ code: "symlink" });
    expect(await failure(remove(path))).toMatchObject({ code: "symlink" });
    expect(await onServer("cat /srv/elsewhere/file; rm -r /srv/elsewhere")).toBe("precious\n");
  });

  test("a directory above it that is missing is not made", async () => {
    expect(await failure(converge(`${freshPath()}/store`))).toMatchObject({ code: "symlink", message: expect.stringContaining("missing") });
  });
});

describe("mounts", () => {
  test("a store whose disk is not mounted is refused before and after adoption, and is not taken for gone", async () => {
    const path = freshPath();
    await fault("nfs", "not-mounted");
    expect(await failure(converge(path))).toMatchObject({ code: "not-mounted", message: expect.stringContaining("/etc/fstab") });
    await fault("nfs", "clear");
    await converge(path);
    await fault("nfs", "not-mounted");
    await onServer('cp /etc/fstab /run/fstab && sed -i "\\,/srv/nfs,d" /etc/fstab');
    try {
      const refused = { code: "not-mounted", message: expect.stringContaining(`adopted on what is mounted at ${nfsRoot}`) };
      for (const attempt of [converge(path, { generation: "2" }), seen(path), remove(path)])
        expect(await failure(attempt)).toMatchObject(refused);
    } finally {
      await onServer("cp /run/fstab /etc/fstab");
    }
    await fault("nfs", "clear");
    expect(await seen(path)).toMatchObject({ generation: "1" });
  });

  test("a store that is not on the mount which the inputs name is refused", async () => {
    const path = freshPath();
    const error = await failure(converge(path, { mountedAt: "/srv/nfs/disk2" }));
    expect(error).toMatchObject({ code: "not-mounted" });
    expect(error.message).toContain("should lie on what is mounted at /srv/nfs/disk2, and lies on what is mounted at /srv/nfs");
    await expect(converge(path, { mountedAt: nfsRoot })).resolves.toBeDefined();
  });

  test.each([
    ["another file system", 'mount -t tmpfs tmpfs "$1/inner"'],
    ["another mount of the same file system", 'mount --bind "$2" "$1/inner"'],
  ])("%s inside a store is refused, and keeps what it holds", async (_, mount) => {
    const path = freshPath();
    const outside = freshPath();
    await converge(path);
    await onServer(`mkdir "$1/inner" "$2" && ${mount} && echo precious >"$1/inner/file"`, path, outside);
    try {
      const error = await failure(converge(path, { generation: "2" }));
      expect(error).toMatchObject({ code: "mounted-below" });
      expect(error.message).toContain(`${path}/inner`);
      expect(await failure(remove(path))).toMatchObject({ code: "mounted-below" });
      expect(await onServer('cat "$1/inner/file"', path)).toBe("precious\n");
    } finally {
      await onServer('umount "$1/inner"', path);
    }
    await converge(path, { generation: "2" });
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });

  test("a disk that is mounted read-only is refused, and heals", async () => {
    const path = freshPath();
    await converge(path);
    await fault("nfs", "read-only");
    expect(await failure(converge(path, { generation: "2" }))).toMatchObject({ kind: "refused", code: "read-only" });
    expect(await failure(converge(freshPath()))).toMatchObject({ code: "read-only" });
    expect(await seen(path)).toMatchObject({ generation: "1" });
    await fault("nfs", "clear");
    await converge(path, { generation: "2" });
  });

  test("a full disk is refused at the first adoption, and does not hinder a wipe", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('dd if=/dev/urandom of="$1/volume" bs=64k count=8 2>/dev/null', path);
    await fault("nfs", "full");
    expect(await failure(converge(freshPath()))).toMatchObject({ kind: "refused", code: "full" });
    await converge(path, { generation: "2" });
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });
});
