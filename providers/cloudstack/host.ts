import { z } from "zod";
import { errorText, TestbedError, waitFor } from "../kernel/index.ts";
import { alertsAbout } from "./alerts.ts";
import { pollPace } from "./client.ts";
import type { Cloud } from "./cloud.ts";
import { removeHost } from "./host-removal.ts";
import { BROKEN, deleteForced, type HostRow, hostsOf, newest, ownTags, tagsOf, urlTag } from "./host-rows.ts";
import { allocation, type CloudServer, clusterName, podName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface HostInputs {
  server: CloudServer;
  zone: string;
  pod: string;
  cluster: string;
  hypervisor: string;
  url: string;
  address?: string | undefined;
  user?: string | undefined;
  credential: string;
  tags: string[];
  state: "Enabled" | "Disabled";
  machine?: string | undefined;
  bareMetal?: { mac: string; cpus: number; cpuMHz: number; memoryMiB: number } | undefined;
}

export interface HostOutputs {
  id: string;
  name: string;
  ipAddress: string;
}

type State = HostInputs & HostOutputs;

/** Adding one takes the server's agent set-up and its first connection; up to minutes on real machines. */
const ADD_SECONDS = 900;
const CONNECT_SECONDS = 300;

const isSimulator = ({ hypervisor }: HostInputs) => hypervisor.toLowerCase() === "simulator";
const authority = (url: string) => url.replace(/^\w+:\/\//, "").split(/[/:]/)[0] ?? "";
const label = (name: string) => (/^[\d.]+$/.test(name) ? name : (name.split(".")[0] ?? "")).toLowerCase();

/** Real hosts are known by their address, or by their name where the address is none. */
function isThis(inputs: HostInputs, row: HostRow): boolean {
  if (isSimulator(inputs)) return tagsOf(row).includes(urlTag(inputs.url));
  const name = inputs.address ?? authority(inputs.url);
  return row.ipaddress === name || (inputs.address === undefined && label(row.name) === label(name));
}

const clusterId = async (cloud: Cloud, { zone, pod, cluster }: HostInputs) => (await cloud.cluster(zone, pod, cluster)).id;

/** The configuration's tags, and the mark of a simulated host. */
function tagText(inputs: HostInputs): string {
  return [...inputs.tags, ...(isSimulator(inputs) ? [urlTag(inputs.url)] : [])].join(",");
}

function login(cloud: Cloud, inputs: HostInputs): Record<string, string> {
  // What a simulated host is given, nobody reads; yet the server wants it.
  if (isSimulator(inputs)) return { username: "root", password: "password" };
  const { user = "root", password } = cloud.context.credential(inputs.credential);
  return { username: inputs.user ?? user, ...(password ? { password } : {}) };
}

async function add(cloud: Cloud, inputs: HostInputs): Promise<HostRow | undefined> {
  const clusterid = await clusterId(cloud, inputs);
  // A failed addition left a row without anything of this host.
  if (isSimulator(inputs))
    for (const row of await hostsOf(cloud, clusterid))
      if (row.state === "Alert" && tagsOf(row).length === 0) await deleteForced(cloud, row.id);
  const { bareMetal } = inputs;
  const parameters = {
    zoneid: await cloud.ownedZone(inputs.zone),
    podid: (await cloud.pod(inputs.zone, inputs.pod)).id,
    clusterid,
    hypervisor: inputs.hypervisor,
    url: inputs.url,
    ...login(cloud, inputs),
    ...(tagText(inputs) ? { hosttags: tagText(inputs) } : {}),
    ...(bareMetal
      ? {
          ...{ hostmac: bareMetal.mac, cpunumber: String(bareMetal.cpus), cpuspeed: String(bareMetal.cpuMHz) },
          memory: String(bareMetal.memoryMiB),
        }
      : {}),
  };
  const reply = await cloud.client.change("addHost", parameters, ADD_SECONDS);
  // A list, though it is one.
  return (reply.host as HostRow[])[0];
}

/** A host that lost its tag by hand is still the one of the state. */
async function find(cloud: Cloud, inputs: HostInputs, previous?: State): Promise<HostRow | undefined> {
  const rows = await hostsOf(cloud, await clusterId(cloud, inputs));
  return newest(rows.filter((one) => isThis(inputs, one))) ?? rows.find((one) => one.id === previous?.id);
}

function shownTags(inputs: HostInputs, row: HostRow): string[] {
  return isSimulator(inputs) && !isThis(inputs, row) ? [...ownTags(row), "(without mark)"] : ownTags(row);
}

/** Why the row in the state is no host to go on with; undefined when it is. */
function whyAnew(inputs: HostInputs, row: HostRow, previous: State | undefined): string | undefined {
  if (previous?.id !== row.id) return BROKEN.includes(row.state) ? `a failed addition left it in state ${row.state}` : undefined;
  const installedAnew = previous.machine !== undefined && inputs.machine !== undefined && previous.machine !== inputs.machine;
  return installedAnew ? "its machine was installed anew" : undefined;
}

async function connected(cloud: Cloud, inputs: HostInputs, row: HostRow): Promise<HostRow> {
  if (row.state === "Up") return row;
  const options = { timeoutSeconds: CONNECT_SECONDS, everySeconds: pollPace, object: `host ${inputs.url}`, system: cloud.client.system };
  cloud.context.phase("waiting for its connection");
  return waitFor<HostRow>("the host to be Up", cloud.context, options, async () => {
    const now = await find(cloud, inputs);
    if (now?.state === "Up") return { done: now };
    if (now && BROKEN.includes(now.state)) throw await brokenHost(cloud, inputs, now);
    return { seen: now ? `state ${now.state}` : "no such host" };
  });
}

async function brokenHost(cloud: Cloud, inputs: HostInputs, row: HostRow, cause?: unknown): Promise<TestbedError> {
  const alerts = await alertsAbout(cloud.client, row.name);
  const tried = cause === undefined ? "" : `; connecting it again failed: ${errorText(cause)}`;
  return new TestbedError({
    system: cloud.client.system,
    object: `host ${inputs.url}`,
    kind: "refused",
    code: `host-${row.state.toLowerCase()}`,
    message: `is in state ${row.state}, which does not heal by itself; ${alerts}${tried}`,
    remedy: "see the agent's log on the host; the next `pulumi up` connects or adds it again",
    cause,
  });
}

/** Ends a maintenance, and connects one again that was up before. */
async function setState(cloud: Cloud, inputs: HostInputs, row: HostRow): Promise<void> {
  const { client } = cloud;
  if (BROKEN.includes(row.state)) {
    try {
      await client.changeAndWait("reconnectHost", { id: row.id });
    } catch (error) {
      throw await brokenHost(cloud, inputs, row, error);
    }
    await connected(cloud, inputs, { ...row, state: "Connecting" });
  }
  if (/Maintenance/.test(row.resourcestate)) await client.changeAndWait("cancelHostMaintenance", { id: row.id });
  const { resourcestate } = (await find(cloud, inputs)) ?? row;
  if (resourcestate !== inputs.state)
    await client.set("updateHost", { id: row.id, allocationstate: inputs.state === "Enabled" ? "Enable" : "Disable" });
}

export const host = defineCloudObject<HostInputs, HostOutputs, HostRow>({
  type: "cloudstack:Host",
  summary: "A host of a cluster, connected and up.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    pod: podName,
    cluster: clusterName,
    hypervisor: z.string().min(1).describe("Hypervisor of its cluster."),
    url: z.string().min(1).describe("Its address as the server is told, `http://h11`; simulated hosts are told apart by it."),
    address: z
      .ipv4()
      .optional()
      .describe("Its IPv4 address, by which it is known again. Left out, the name in `url` must be the one it calls itself."),
    user: z.string().min(1).optional().describe("Account on the host; by default that of the credential, else root."),
    credential: z
      .string()
      .default("hosts")
      .describe("Name of the credential (`user`, `password`) in the stack configuration. Simulated hosts need none."),
    tags: z
      .array(z.string().regex(/^[^,]+$/, "must hold no comma"))
      .default([])
      .describe("Its host tags."),
    state: allocation.describe("Whether new VMs may be put there. A maintenance by hand is ended."),
    machine: z.string().optional().describe("Fingerprint of the install token of its machine: one that was installed anew is added anew."),
    bareMetal: z
      .object({
        mac: z.string().min(1).describe("MAC address of its network interface."),
        cpus: z.number().int().positive().describe("Number of CPUs."),
        cpuMHz: z.number().int().positive().describe("Speed of a CPU in MHz."),
        memoryMiB: z.number().int().positive().describe("Memory in MiB."),
      })
      .optional()
      .describe("What the server cannot ask a bare-metal host."),
  }),
  outputs: { id: "Id on the server.", name: "As it calls itself.", ipAddress: "Address of it that the server uses." },
  replaceOn: ["zone", "pod", "cluster", "hypervisor", "url"],
  deadlineSeconds: 1800,
  id: (inputs) => `host/${inputs.zone}/${inputs.pod}/${inputs.cluster}/${inputs.url}`,
  title: (inputs) => `host ${inputs.url}`,
  find,
  create: add,
  isSound: (row) => !BROKEN.includes(row.state),
  shown: (row, inputs) => ({
    tags: shownTags(inputs, row),
    state: (BROKEN.includes(row.state) ? row.state : row.resourcestate) as HostInputs["state"],
  }),
  made: (row) => ({ id: row.id, name: row.name, ipAddress: row.ipaddress ?? "" }),
  async sync(cloud, inputs, row, differing, previous) {
    const why = whyAnew(inputs, row, previous);
    if (why) return addAnew(cloud, inputs, row, why);
    if (differing.has("tags")) await cloud.client.set("updateHost", { id: row.id, hosttags: tagText(inputs) });
    if (differing.has("state")) await setState(cloud, inputs, row);
  },
  async settle(cloud, inputs, row, previous) {
    const why = whyAnew(inputs, row, previous);
    if (why) await addAnew(cloud, inputs, row, why);
    return connected(cloud, inputs, (why ? await find(cloud, inputs) : row) ?? row);
  },
  destroy: (cloud, _, row) => removeHost(cloud, row),
});

async function addAnew(cloud: Cloud, inputs: HostInputs, row: HostRow, why: string): Promise<void> {
  cloud.context.phase(`adding it again: ${why}`);
  await deleteForced(cloud, row.id);
  await add(cloud, inputs);
}
