// cloudstack:StoragePool, ImageStore and StagingStore against the emulator.

import { beforeAll, describe, expect, test } from "@jest/globals";
import { cluster, host, imageStore, pod, stagingStore, storagePool, zone } from "../../providers/cloudstack/index.ts";
import { placeOf } from "../../providers/cloudstack/storage-pool.ts";
import { podGiven, zoneGiven } from "../support/cloud-objects.ts";
import { apiError } from "../support/cloud-proxy.ts";
import { failure } from "../support/context.ts";
import { TestCloud } from "../support/test-cloud.ts";

const cloud = TestCloud.forFile();
const place = { zone: "z0", pod: "z0-pod0", cluster: "c0" };
const poolArguments = { ...place, name: "ps0", url: "nfs://10.0.0.1:/primary" };
const storeArguments = { zone: "z0", url: "nfs://10.0.0.1:/secondary" };

interface Row {
  id: string;
  name: string;
  state: string;
}

const pools = () => cloud.client.list<Row>("listStoragePools", "storagepool");
const stores = () => cloud.client.list<Row>("listImageStores", "imagestore");

beforeAll(async () => {
  await cloud.up(zone, zoneGiven("z0"));
  await cloud.up(pod, podGiven("z0"));
  await cloud.up(cluster, { zone: "z0", pod: "z0-pod0", name: "c0", hypervisor: "simulator" });
  await cloud.up(host, { ...place, hypervisor: "simulator", url: "http://sim/c0/h0" });
});

test.each([
  ["nfs://h/p", "h", "/p"],
  ["nfs://h:/p/", "h", "/p"],
  ["nfs://h:2049/p/q", "h", "/p/q"],
  ["smb://user@h/share", "h", "/share"],
  ["nfs://h/", "h", "/"],
])("%s is host %s and path %s", (url, name, path) => {
  expect(placeOf(url)).toEqual({ host: name, path });
});

describe("a storage pool", () => {
  test("is made once, is known by host and path, and is deleted by way of maintenance", async () => {
    const made = await cloud.up(storagePool, poolArguments);
    cloud.proxy.clear();
    expect((await cloud.up(storagePool, { ...poolArguments, url: "nfs://10.0.0.1/primary" })).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    await cloud.down(storagePool, made);
    expect(cloud.proxy.changes).toEqual(["enableStorageMaintenance", "deleteStoragePool"]);
    expect(await pools()).toEqual([]);
    await cloud.down(storagePool, made);
  });

  test.each([
    ["name", "another name"],
    ["tags", ["fast", "ssd"]],
    ["state", "Disabled"],
  ])("is changed in place, there and back: %s", async (field, value) => {
    const before = await cloud.up(storagePool, poolArguments);
    const after = await cloud.up(storagePool, { ...poolArguments, [field]: value }, before);
    expect(after.id).toBe(before.id);
    expect(await cloud.refresh(storagePool, after)).toMatchObject({ [field]: value });
    await cloud.up(storagePool, poolArguments, after);
    expect(await cloud.refresh(storagePool, before)).toEqual({ name: "ps0", tags: [], state: "Enabled" });
  });

  test.each([
    ["disabled", (id: string) => cloud.client.change("updateStoragePool", { id, enabled: "false" }), "Disabled"],
    ["moved into maintenance", (id: string) => cloud.client.changeAndWait("enableStorageMaintenance", { id }), "Maintenance"],
  ])("that was %s by hand is seen and taken back into use", async (_, change, state) => {
    const made = await cloud.up(storagePool, poolArguments);
    await change(made.id);
    expect((await cloud.refresh(storagePool, made))?.state).toBe(state);
    await cloud.up(storagePool, poolArguments, made);
    expect(await pools()).toMatchObject([{ state: "Up" }]);
  });

  test("of the whole zone belongs to no cluster", async () => {
    const wide = { zone: "z0", name: "wide", url: "nfs://10.0.0.1/wide", scope: "zone" as const, hypervisor: "Simulator" };
    const made = await cloud.up(storagePool, wide);
    expect((await cloud.up(storagePool, wide)).id).toBe(made.id);
    await cloud.down(storagePool, made);
  });

  test("that cannot go into maintenance is an error, and is taken out of it again", async () => {
    const made = await cloud.up(storagePool, poolArguments);
    const job = { jobid: "j", jobstatus: 2, jobresultcode: 530, jobresult: { errorcode: 530, errortext: "cannot migrate v-1-VM" } };
    cloud.proxy.spoil("queryAsyncJobResult", { status: 200, text: JSON.stringify({ queryasyncjobresultresponse: job }) });
    const error = await failure(cloud.down(storagePool, made));
    expect(error).toMatchObject({ kind: "refused", code: "maintenance" });
    expect(error.message).toMatch(/cannot migrate v-1-VM/);
    expect(cloud.proxy.changes).toEqual(["enableStorageMaintenance", "cancelStorageMaintenance"]);
    await cloud.down(storagePool, made);
  });

  test("that the server deletes, though its answer is cut, is gone", async () => {
    const made = await cloud.up(storagePool, poolArguments);
    cloud.proxy.spoil("deleteStoragePool", "cut-after");
    await cloud.down(storagePool, made);
    expect(await pools()).toEqual([]);
  });

  test.each([
    ["a scheme that the server does not have", { url: "gopher://10.0.0.1/x" }, undefined, /gopher/],
    ["the server's refusal", {}, apiError("createStoragePool", 530, 9999, "Failed to add data store: mount failed"), /mount failed/],
    ["a cluster that does not exist", { cluster: "nowhere" }, undefined, /cluster nowhere in z0\/z0-pod0/],
  ])("fails for %s, and leaves nothing", async (_, change, fault, text) => {
    if (fault) cloud.proxy.spoil("createStoragePool", fault);
    const error = await failure(cloud.up(storagePool, { ...poolArguments, ...change }));
    expect(error.message).toMatch(text);
    expect(await pools()).toEqual([]);
  });

  test("at a path without a host is refused before anything is touched", () => {
    expect(storagePool.inputs.safeParse({ server: cloud.server, ...poolArguments, url: "/primary" }).error?.message).toMatch(
      /must be an address/,
    );
  });
});

describe("an image store", () => {
  test("is added once, made read-only in place, and deleted", async () => {
    const made = await cloud.up(imageStore, storeArguments);
    cloud.proxy.clear();
    expect((await cloud.up(imageStore, { ...storeArguments, url: "nfs://10.0.0.1/secondary" })).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    const changed = await cloud.up(imageStore, { ...storeArguments, readOnly: true }, made);
    expect(changed.id).toBe(made.id);
    expect(await cloud.refresh(imageStore, changed)).toEqual({ readOnly: true });
    await cloud.down(imageStore, changed);
    expect(await stores()).toEqual([]);
    await cloud.down(imageStore, changed);
  });

  test("that was made read-only by hand is seen and mended", async () => {
    const made = await cloud.up(imageStore, storeArguments);
    await cloud.client.change("updateImageStore", { id: made.id, readonly: "true" });
    expect(await cloud.refresh(imageStore, made)).toEqual({ readOnly: true });
    await cloud.up(imageStore, storeArguments, made);
    expect(await cloud.refresh(imageStore, made)).toEqual({ readOnly: false });
    await cloud.down(imageStore, made);
  });

  test("of S3 belongs to no zone, and its keys come from the credential", async () => {
    const credentials = { s3: { accesskey: "AKEY", secretkey: "secret-of-s3" } };
    const s3 = { zone: "z0", name: "objects", provider: "S3", details: { bucket: "b", endpoint: "s3.lab.test" }, credential: "s3" };
    const made = await cloud.up(imageStore, s3, undefined, cloud.contextWith(credentials));
    expect(JSON.stringify(made)).not.toContain("secret-of-s3");
    expect(await stores()).toMatchObject([{ name: "objects" }]);
    expect((await cloud.up(imageStore, s3, undefined, cloud.contextWith(credentials))).id).toBe(made.id);
    await cloud.down(imageStore, made);
    expect(await stores()).toEqual([]);
  });

  test("whose credential is missing is an error that names it, and nothing is sent", async () => {
    const s3 = { zone: "z0", name: "objects", provider: "S3", credential: "nobody" };
    await expect(cloud.up(imageStore, s3)).rejects.toThrow("no credential nobody");
    expect(cloud.proxy.changes).toEqual([]);
  });

  test("whose address another zone has too is refused by the server without a name of its own", async () => {
    const first = await cloud.up(imageStore, storeArguments);
    const second = await cloud.up(zone, zoneGiven("z1"));
    expect((await failure(cloud.up(imageStore, { ...storeArguments, zone: "z1" }))).message).toMatch(
      /already exists, try creating with another name/,
    );
    const named = await cloud.up(imageStore, { ...storeArguments, zone: "z1", name: "secondary of z1" });
    expect(named.id).not.toBe(first.id);
    await cloud.down(imageStore, named);
    await cloud.down(zone, second);
    await cloud.down(imageStore, first);
  });

  test("that the server refuses is an error", async () => {
    cloud.proxy.spoil("addImageStore", apiError("addImageStore", 530, 9999, "Failed to add data store: no export"));
    expect((await failure(cloud.up(imageStore, storeArguments))).message).toMatch(/no export/);
    expect(await stores()).toEqual([]);
  });
});

describe("a staging store", () => {
  const cache = { zone: "z0", url: "nfs://10.0.0.1/cache" };

  test("is added once, and deleted", async () => {
    const made = await cloud.up(stagingStore, cache);
    cloud.proxy.clear();
    expect((await cloud.up(stagingStore, cache)).id).toBe(made.id);
    expect(cloud.proxy.changes).toEqual([]);
    await cloud.down(stagingStore, made);
    expect(await cloud.refresh(stagingStore, made)).toBeUndefined();
    await cloud.down(stagingStore, made);
  });

  test("that the server refuses is an error", async () => {
    cloud.proxy.spoil("createSecondaryStagingStore", apiError("createSecondaryStagingStore", 530, 9999, "refused"));
    expect((await failure(cloud.up(stagingStore, cache))).message).toMatch(/refused/);
  });
});
