// A store changes hands on purpose: after a moved state, or instead of `adopt: true`.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Holding } from "../../providers/kernel/ownership.ts";
import { ownershipOf } from "../../providers/kernel/ownership.ts";
import { markedStores, type StoreInputs, store, type TemplateInputs, template, templatesBelow } from "../../providers/nfs/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { failure, ours, testContext, theirs } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import {
  converge,
  forgetStores,
  freshPath,
  list,
  nfsRoot,
  nfsServer,
  onServer,
  seen,
  storeAt,
  storeMarker,
} from "../support/nfs-server.ts";
import { stage, templateInputs, web } from "../support/nfs-template.ts";

beforeAll(() => web.start(nfsServer.address));
afterAll(async () => {
  await web.stop();
  await closeSharedSsh();
});

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

test("a waiting template of this stack from another state is taken without being fetched again", async () => {
  await stage({}, testContext(theirs));
  expect(await failure(stage())).toMatchObject({ kind: "conflict", code: "foreign" });
  const inputs = template.inputs.parse(templateInputs()) as unknown as TemplateInputs & Record<string, unknown>;
  const owned = ownershipOf(template.type);
  const [holding] = (await owned?.holdings(testContext(), inputs)) ?? [];
  expect(holding).toMatchObject({ object: "template t.qcow2.gz", holder: theirs });
  if (holding) await owned?.take(testContext(), inputs, holding);
  web.requests.length = 0;
  await stage();
  expect(web.requests).toEqual([]);
  if (holding)
    expect(await failure(owned?.take(testContext(), inputs, holding) ?? Promise.resolve())).toMatchObject({ code: "changed-hands" });
});

describe("what carries a mark on the server", () => {
  const marked = markedStores(nfsServer, [nfsRoot]);
  const beside = { directory: templatesBelow(nfsRoot) };
  const listed = async () => (await marked.list(testContext())).map(({ object, marks }) => [object, ...marks]);
  const removeAll = async () => {
    for (const one of await marked.list(testContext())) await marked.remove(testContext(), one);
  };

  test("is listed with its holder, of every stack", async () => {
    const [mine, another] = [freshPath(), freshPath()];
    await converge(mine);
    await converge(another, {}, theirs);
    const { outputs } = await stage(beside);
    expect(await listed()).toEqual([
      [`store ${mine}`, ours],
      [`store ${another}`, theirs],
      [`template ${outputs.staged}`, ours],
    ]);
  });

  test("has the keys of the resources that made it", async () => {
    const path = freshPath();
    await converge(path);
    await stage(beside);
    const keys = [
      ...marked.keysOf({ type: "nfs:Store", stack: ours.stack, inputs: storeAt(path) as Record<string, unknown> }),
      ...marked.keysOf({ type: "nfs:Template", stack: ours.stack, inputs: { ...templateInputs(), ...beside } }),
    ];
    expect((await marked.list(testContext())).map(({ key }) => key)).toEqual(keys);
    expect(marked.keysOf({ type: "cobbler:System", stack: ours.stack, inputs: { name: "h11" } })).toEqual([]);
  });

  test("is removed when it is ours, and only then", async () => {
    const [mine, another] = [freshPath(), freshPath()];
    await converge(mine);
    await converge(another, {}, theirs);
    await stage(beside);
    await onServer('echo image >"$1/volume"; echo image >"$2/volume"', mine, another);
    await removeAll();
    expect(await listed()).toEqual([[`store ${another}`, theirs]]);
    expect(await list(another)).toContain("./volume");
  });

  test("is what the server remembers, too, of a store that somebody removed by hand", async () => {
    const path = freshPath();
    await converge(path);
    await onServer('rm -r "$1"', path);
    expect(await listed()).toEqual([[`store ${path}, which is remembered and not there`, ours]]);
    await removeAll();
    expect(await listed()).toEqual([]);
  });

  test("is not forgotten where the disk of a remembered store is not mounted", async () => {
    const path = freshPath();
    await onServer('mkdir "$1" && mount -t tmpfs tmpfs "$1"', path);
    await converge(`${path}/store`);
    await onServer('umount "$1"', path);
    const [one] = await marked.list(testContext());
    expect(one?.object).toContain("is remembered and not there");
    expect(await failure(marked.remove(testContext(), one as NonNullable<typeof one>))).toMatchObject({ code: "not-mounted" });
    expect(await listed()).toHaveLength(1);
  });

  test("is nothing where nothing was ever put", async () => {
    expect(await listed()).toEqual([]);
  });

  test.each([
    ["another machine answers at the server's address", { hostKey: `SHA256:${"A".repeat(43)}` }, nfsRoot, "host-key"],
    ["a root cannot be listed", {}, "/srv/nfs-root-file", "not-read"],
  ])("is not said to be nothing where %s", async (_, change, root, code) => {
    await onServer("touch /srv/nfs-root-file");
    expect(await failure(markedStores({ ...nfsServer, ...change }, [root]).list(testContext()))).toMatchObject({ code });
    await onServer("rm /srv/nfs-root-file");
  });
});
