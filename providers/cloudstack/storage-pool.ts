import { z } from "zod";
import { waitFor } from "../kernel/index.ts";
import { pollPace } from "./client.ts";
import type { Cloud } from "./cloud.ts";
import { allocation, type CloudServer, details, objectName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";
import { removePool } from "./storage-removal.ts";

export interface StoragePoolInputs {
  server: CloudServer;
  zone: string;
  pod?: string | undefined;
  cluster?: string | undefined;
  name: string;
  url: string;
  scope: "cluster" | "zone";
  hypervisor?: string | undefined;
  provider?: string | undefined;
  tags: string[];
  details: Record<string, string>;
  state: "Enabled" | "Disabled";
}

export interface StoragePoolOutputs {
  id: string;
}

export interface PoolRow {
  id: string;
  name: string;
  ipaddress?: string;
  path?: string;
  clusterid?: string;
  state: string;
  tags?: string;
}

/** The server mounts it on each host of the cluster. */
const ADD_SECONDS = 600;
const SETTLE_SECONDS = 120;

/** `nfs://host/path`, `nfs://host:/path` and `nfs://host:2049/path` are one place. */
export function placeOf(url: string): { host: string; path: string } {
  const [, authority = "", path = ""] = /^\w+:\/\/([^/]*)(\/.*)?$/.exec(url) ?? [];
  return { host: authority.replace(/^.*@/, "").replace(/:\d*$/, ""), path: path.replace(/(?<=.)\/+$/, "") };
}

const states: Record<string, string> = { Up: "Enabled", Disabled: "Disabled" };
/** Those that it goes through while it is made. */
const YOUNG = ["Initial", "Initialized", "Creating", "Attaching"];

async function find(cloud: Cloud, inputs: StoragePoolInputs): Promise<PoolRow | undefined> {
  const { zone, pod, cluster, url } = inputs;
  const place: Record<string, string> = cluster && pod ? { clusterid: (await cloud.cluster(zone, pod, cluster)).id } : {};
  const rows = await cloud.client.list<PoolRow>("listStoragePools", "storagepool", { zoneid: (await cloud.zone(zone)).id, ...place });
  const wanted = placeOf(url);
  return rows.find((one) => one.ipaddress === wanted.host && one.path?.replace(/(?<=.)\/+$/, "") === wanted.path);
}

async function setState(cloud: Cloud, inputs: StoragePoolInputs, row: PoolRow): Promise<void> {
  const { client } = cloud;
  if (/Maintenance/.test(row.state)) await client.changeAndWait("cancelStorageMaintenance", { id: row.id });
  const state = (await find(cloud, inputs))?.state;
  // Twice the same is refused (cloudstack-observed facts 41).
  if (states[state ?? ""] !== inputs.state)
    await client.change("updateStoragePool", { id: row.id, enabled: String(inputs.state === "Enabled") });
}

export const storagePool = defineCloudObject<StoragePoolInputs, StoragePoolOutputs, PoolRow>({
  type: "cloudstack:StoragePool",
  summary: "A primary storage pool of a cluster or of a zone.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    pod: z.string().min(1).optional().describe("Name of the pod of its cluster."),
    cluster: z.string().min(1).optional().describe("Name of its cluster; left out with the scope `zone`."),
    name: objectName.describe("Its name; host and path are what it is known by."),
    url: z
      .string()
      .regex(/^\w+:\/\/.+$/, "must be an address like nfs://host/path")
      .describe("Where it is: `nfs://host/path`."),
    scope: z.enum(["cluster", "zone"]).default("cluster").describe("Whose hosts use it."),
    hypervisor: z.string().min(1).optional().describe("Hypervisor of the hosts that use it, with the scope `zone`."),
    provider: z.string().min(1).optional().describe("Name of the storage provider; by default the server's own."),
    tags: z
      .array(z.string().regex(/^[^,]+$/, "must hold no comma"))
      .default([])
      .describe("Its storage tags."),
    details: details.describe("Details that its provider wants."),
    state: allocation.describe("Whether new volumes may be put there. A maintenance by hand is ended."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "pod", "cluster", "url", "scope", "hypervisor", "provider", "details"],
  id: (inputs) => ["storage-pool", inputs.zone, inputs.pod, inputs.cluster, inputs.url].filter(Boolean).join("/"),
  title: (inputs) => `storage pool ${inputs.name}`,
  find,
  async create(cloud, inputs) {
    const { zone, pod, cluster, scope, hypervisor, provider, tags } = inputs;
    const given = Object.entries(inputs.details).map(([key, value]) => [`details[0].${key}`, value]);
    const parameters = {
      zoneid: await cloud.ownedZone(zone),
      ...(pod ? { podid: (await cloud.pod(zone, pod)).id } : {}),
      ...(pod && cluster ? { clusterid: (await cloud.cluster(zone, pod, cluster)).id } : {}),
      ...(scope === "zone" ? { scope: "zone" } : {}),
      ...(hypervisor ? { hypervisor } : {}),
      ...(provider ? { provider } : {}),
      name: inputs.name,
      url: inputs.url,
      ...(tags.length > 0 ? { tags: tags.join(",") } : {}),
      ...(Object.fromEntries(given) as Record<string, string>),
    };
    return (await cloud.client.change("createStoragePool", parameters, ADD_SECONDS)).storagepool as PoolRow;
  },
  shown: (row) => ({
    name: row.name,
    tags: (row.tags ?? "").split(",").filter(Boolean),
    state: (YOUNG.includes(row.state) ? "Enabled" : (states[row.state] ?? row.state)) as StoragePoolInputs["state"],
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    const changed = {
      ...(differing.has("name") ? { name: inputs.name } : {}),
      ...(differing.has("tags") ? { tags: inputs.tags.join(",") } : {}),
    };
    if (Object.keys(changed).length > 0) await cloud.client.set("updateStoragePool", { id: row.id, ...changed });
    if (differing.has("state")) await setState(cloud, inputs, row);
  },
  async settle(cloud, inputs, row) {
    if (!YOUNG.includes(row.state)) return row;
    const options = {
      timeoutSeconds: SETTLE_SECONDS,
      everySeconds: pollPace,
      object: `storage pool ${inputs.name}`,
      system: cloud.client.system,
    };
    return waitFor<PoolRow>("the pool to be Up", cloud.context, options, async () => {
      const now = await find(cloud, inputs);
      return now && !YOUNG.includes(now.state) ? { done: now } : { seen: now ? `state ${now.state}` : "no such pool" };
    });
  },
  destroy: (cloud, _, row) => removePool(cloud, row),
});
