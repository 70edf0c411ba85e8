// A store changes hands on purpose: after a moved state, or instead of `adopt: true`.
import { afterAll, afterEach, expect, test } from "@jest/globals";
import type { Holding } from "../../providers/kernel/ownership.ts";
import { ownershipOf } from "../../providers/kernel/ownership.ts";
import { type StoreInputs, store } from "../../providers/nfs/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { failure, ours, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { converge, forgetStores, freshPath, list, onServer, seen, storeAt, storeMarker } from "../support/nfs-server.ts";

afterAll(closeSharedSsh);

afterEach(async () => {
  await fault("nfs", "clear");
  await forgetStores();
});

const ownership = ownershipOf(store.type);
const inputsOf = (path: string, more = {}) => store.inputs.parse(storeAt(path, more)) as unknown as StoreInputs & Record<string, unknown>;
const holdings = async (path: string): Promise<Holding[]> => (await ownership?.holdings(testContext(), inputsOf(path))) ?? [];
const take = async (path: string, holding: Holding | undefined) => {
  if (!holding) throw new Error("there is no holding to take");
  await ownership?.take(testContext(), inputsOf(path), holding);
};

test("a store of this stack from another state is taken with its content and its generation", async () => {
  const path = freshPath();
  await converge(path, {}, theirs);
  await onServer('echo image >"$1/volume"', path);
  const [holding] = await holdings(path);
  expect(holding).toMatchObject({
    object: `store ${path}`,
    system: "NFS server 10.91.0.1",
    holder: theirs,
    since: expect.stringMatching(/^\d{4}-/),
  });
  await take(path, holding);
  expect((await holdings(path))[0]?.holder).toEqual(ours);
  await converge(path);
  expect(await list(path)).toContain("./volume");
  expect(await failure(converge(path, {}, theirs))).toMatchObject({ code: "foreign" });
});

test("another stack's store is taken, and emptied by the next run though its generation has the same text", async () => {
  const path = freshPath();
  await converge(path, {}, { ...theirs, stack: "another" });
  await onServer('echo image >"$1/volume"', path);
  await take(path, (await holdings(path))[0]);
  expect(await seen(path)).toMatchObject({ generation: "-" });
  await converge(path);
  expect(await list(path)).toEqual([`./${storeMarker}`]);
});

test("a directory that was filled by hand is nobody's, and taken without being emptied before the next run", async () => {
  const path = freshPath();
  await onServer('mkdir "$1" && echo x >"$1/x"', path);
  const [holding] = await holdings(path);
  expect(holding?.holder).toBeUndefined();
  await take(path, holding);
  expect(await list(path)).toEqual([`./${storeMarker}`, "./x"]);
  await converge(path);
  expect(await list(path)).toEqual([`./${storeMarker}`]);
});

test("an empty directory and a missing one need no taking", async () => {
  const path = freshPath();
  expect(await holdings(path)).toEqual([]);
  await onServer('mkdir "$1"', path);
  expect(await holdings(path)).toEqual([]);
});

test("a store that changed hands since it was shown is refused", async () => {
  const path = freshPath();
  await onServer('mkdir "$1" && echo x >"$1/x"', path);
  const [holding] = await holdings(path);
  await converge(path, { adopt: true }, theirs);
  const error = await failure(take(path, holding));
  expect(error).toMatchObject({ kind: "conflict", code: "changed-hands" });
  expect(error.message).toContain("00000000000000bb");
});

test("a store that is another one under a second name cannot be taken", async () => {
  const [first, second] = [freshPath(), freshPath()];
  await fault("nfs", "same-directory", `${first}:${second}`);
  await converge(first, {}, theirs);
  expect(await failure(take(second, (await holdings(second))[0]))).toMatchObject({ code: "same-directory" });
  expect((await holdings(first))[0]?.holder).toEqual(theirs);
});

test("a store whose disk is not mounted cannot be looked at", async () => {
  const path = freshPath();
  await fault("nfs", "not-mounted");
  expect(await failure(holdings(path))).toMatchObject({ code: "not-mounted" });
});
