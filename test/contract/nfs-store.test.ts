// A store's life, against the lab's real sshd and file system.
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { failure, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { converge, forgetStores, freshPath, list, nfsRoot, onServer, remove, seen, storeMarker } from "../support/nfs-server.ts";

afterAll(closeSharedSsh);

afterEach(async () => {
  await fault("nfs", "clear");
  await forgetStores();
});

describe("a store's life", () => {
  test("a missing directory is made, marked, and gone again after delete", async () => {
    const path = freshPath();
    const { outputs } = await converge(path);
    expect(await list(path)).toEqual([`./${storeMarker}`]);
    expect(outputs).toEqual({ location: expect.stringMatching(/^\d+:\d+:\/.*row/), contents: "no template" });
    await remove(path);
    expect(await onServer('ls -A "$1"; ls /var/lib/cloudstack-testbed/stores', nfsRoot)).toBe("");
  });

  test("a directory that was there keeps its mode and outlives delete, without content and marker", async () => {
    const path = freshPath();
    await onServer('mkdir -m 1777 "$1"', path);
    await converge(path);
    await onServer('echo image >"$1/volume"', path);
    await remove(path);
    expect(await onServer('ls -A "$1"; stat -c %a "$1"', path)).toBe("1777\n");
  });

  test("the same generation again changes nothing; a new one empties the store and keeps the marker", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('mkdir -p "$1/a b/.c" && echo x >"$1/a b/.c/d" && echo x >"$1/.hidden" && ln -s / "$1/root"', path);
    await converge(path);
    expect(await list(path)).toHaveLength(6);
    const { phases } = await converge(path, { generation: "2" });
    expect(await list(path)).toEqual([`./${storeMarker}`]);
    expect(phases).toEqual(["emptying", "emptied, no template"]);
  });

  test("a link in a store is removed, not followed", async () => {
    const path = freshPath();
    const outside = freshPath();
    await converge(path);
    await onServer('mkdir "$1" && echo precious >"$1/file" && ln -s "$1" "$2/link" && ln -s "$1/file" "$2/file"', outside, path);
    await converge(path, { generation: "2" });
    expect(await list(path)).toEqual([`./${storeMarker}`]);
    expect(await onServer('cat "$1/file"', outside)).toBe("precious\n");
  });

  test("an ext4's lost+found is no content and stays", async () => {
    const path = freshPath();
    await onServer('mkdir -p "$1/lost+found" && echo x >"$1/lost+found/#12"', path);
    await converge(path);
    await converge(path, { generation: "2" });
    expect(await list(path)).toEqual([`./${storeMarker}`, "./lost+found", "./lost+found/#12"]);
  });

  test("a lost state finds its store by the marker, and does not empty it", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('echo image >"$1/volume"', path);
    expect(await seen(path)).toMatchObject({ generation: "1" });
    await converge(path);
    expect(await list(path)).toContain("./volume");
  });

  test("an interrupted wipe is done again, though the generation was going back and forth", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('echo image >"$1/volume" && sed -i "s,^generation .*,generation -," "$1/$2"', path, storeMarker);
    expect(await seen(path)).toMatchObject({ generation: "-" });
    await converge(path);
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });

  test("a store deleted by hand is absent, and made anew", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('rm -r "$1"', path);
    expect(await seen(path)).toBeUndefined();
    await converge(path);
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });

  test("released instead of purged, it keeps its content and loses its marker", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('echo image >"$1/volume"', path);
    await remove(path, { onDelete: "keep" });
    expect(await list(path)).toEqual(["./volume"]);
  });

  test("delete of what is gone succeeds", async () => {
    await expect(remove(freshPath())).resolves.toEqual([]);
  });

  test("delete leaves another stack's store as it is, and says so", async () => {
    const path = freshPath();
    await converge(path, {}, theirs);
    await onServer('echo image >"$1/volume"', path);
    expect(await remove(path)).toEqual([expect.stringMatching(/^warning: .*belongs to .*00000000000000bb.*left as it is/)]);
    expect(await list(path)).toEqual([`./${storeMarker}`, "./volume"]);
  });
});

describe("adoption", () => {
  test("an unmarked directory that holds something is refused with its first entries, and nothing is written", async () => {
    const path = freshPath();
    await onServer('mkdir "$1" && cd "$1" && touch .z a b c d e f', path);
    const error = await failure(converge(path));
    expect(error).toMatchObject({ kind: "conflict", code: "unmarked", remedy: expect.stringContaining("adopt: true") });
    expect(error.message).toContain("holds .z, a, b, c, d");
    expect(await list(path)).toHaveLength(7);
  });

  test("with adopt it is taken and emptied", async () => {
    const path = freshPath();
    await onServer('mkdir -p "$1/old" && echo x >"$1/old/x"', path);
    await converge(path, { adopt: true });
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });

  test.each([true, false])("another stack's store is refused with its mark, adopt: %p", async (adopt) => {
    const path = freshPath();
    await converge(path, {}, theirs);
    await onServer('echo image >"$1/volume"', path);
    const error = await failure(converge(path, { adopt, generation: "2" }));
    expect(error).toMatchObject({ kind: "conflict", code: "foreign" });
    expect(error.message).toMatch(/cloudstack-testbed:cloudstack-testbed\/contract\/00000000000000bb, since \d{4}-/);
    expect(await list(path)).toContain("./volume");
  });

  test("a marker that is a link is refused", async () => {
    const path = freshPath();
    const other = freshPath();
    await converge(other);
    await onServer('mkdir "$1" && ln -s "$2/$3" "$1/$3"', path, other, storeMarker);
    expect(await failure(converge(path, { adopt: true }))).toMatchObject({ code: "symlink" });
  });
});

describe("two stores that are one directory", () => {
  test("one directory under two names is found by the second, whoever's it is", async () => {
    const [first, second] = [freshPath(), freshPath()];
    await fault("nfs", "same-directory", `${first}:${second}`);
    await converge(first);
    const error = await failure(converge(second));
    expect(error).toMatchObject({ kind: "conflict", code: "same-directory" });
    expect(error.message).toContain(`is the same directory as the store ${first}`);
  });

  test("it is found at the next run when it became one afterwards", async () => {
    const [first, second] = [freshPath(), freshPath()];
    await converge(first);
    await converge(second);
    await onServer('echo image >"$1/volume"', first);
    await fault("nfs", "same-directory", `${first}:${second}`);
    expect(await failure(converge(second, { generation: "2" }))).toMatchObject({ code: "same-directory" });
    expect(await failure(remove(second))).toMatchObject({ code: "not-mounted" });
    expect(await list(first)).toContain("./volume");
  });

  test("delete under the second name leaves the first one's content alone", async () => {
    const [first, second] = [freshPath(), freshPath()];
    await fault("nfs", "same-directory", `${first}:${second}`);
    await converge(first);
    await onServer('echo image >"$1/volume"', first);
    await remove(second);
    expect(await list(first)).toEqual([`./${storeMarker}`, "./volume"]);
  });

  test.each([
    ["lies in", (outer: string) => [outer, `${outer}/inner`]],
    ["holds", (outer: string) => [`${outer}/inner`, outer]],
  ])("a store that %s another is refused", async (word, order) => {
    const outer = freshPath();
    await onServer('mkdir -p "$1/inner"', outer);
    const [first = "", second = ""] = order(outer);
    await converge(first, { adopt: true });
    if (word === "lies in") await onServer('mkdir -p "$1"', second);
    expect(await failure(converge(second, { adopt: true }))).toMatchObject({
      code: "same-directory",
      message: expect.stringContaining(word),
    });
  });

  test("a store that was renamed on the server is the same store, under its new name", async () => {
    const [first, second] = [freshPath(), freshPath()];
    await converge(first);
    await onServer('echo image >"$1/volume" && mv "$1" "$2"', first, second);
    await converge(second);
    expect(await list(second)).toContain("./volume");
  });

  test("of two that begin at the same time one wins", async () => {
    const [first, second] = [freshPath(), freshPath()];
    await fault("nfs", "same-directory", `${first}:${second}`);
    const ended = await Promise.allSettled([converge(first), converge(second)]);
    expect(ended.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("what hinders a wipe", () => {
  test("a stale marker is refused, and heals", async () => {
    const path = freshPath();
    await converge(path);
    await fault("nfs", "stale-marker", path);
    expect(await failure(converge(path, { generation: "2" }))).toMatchObject({
      code: "foreign",
      message: expect.stringContaining("/another/"),
    });
    await fault("nfs", "clear");
    await converge(path, { generation: "2" });
  });

  test("what somebody writes just while it is emptied does not fail it", async () => {
    const path = freshPath();
    await converge(path);
    const writer = 'touch "$1/a"; (while [ -e "$1/a" ]; do :; done; mkdir "$1/late" && touch "$1/late/b") >/dev/null 2>&1 &';
    await onServer(writer, path);
    await converge(path, { generation: "2" });
    expect(await seen(path)).toMatchObject({ generation: "2" });
  });

  test("a file that cannot be removed is named, and the next run finishes", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('mkdir "$1/volumes" && touch "$1/volumes/a" "$1/volumes/b" && chattr +i "$1/volumes/b"', path);
    const error = await failure(converge(path, { generation: "2" }));
    expect(error).toMatchObject({ kind: "refused", code: "not-wiped" });
    expect(error.message).toContain("volumes/b");
    expect(await seen(path)).toMatchObject({ generation: "-" });
    await onServer('chattr -i "$1/volumes/b"', path);
    await converge(path, { generation: "2" });
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });

  test("two runs at the same time wait for each other", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('cd "$1" && seq 2000 | xargs touch', path);
    await Promise.all([converge(path, { generation: "2" }), converge(path, { generation: "2" })]);
    expect(await list(path)).toEqual([`./${storeMarker}`]);
  });
});
