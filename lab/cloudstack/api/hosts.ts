import { lookup } from "node:dns/promises";
import type { Cloud } from "../cloud.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import { type Row, timeText } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue, unexpected } from "../errors.ts";
import { take } from "../faults.ts";
import { connect } from "../host-connection.ts";
import { insertHost, simulatedHost } from "../hosts.ts";
import { SERVER_NUMBER } from "../jobs.ts";
import { fails } from "../misbehaviour.ts";
import { is, isIgnoringCase, named, selected, shownHost, shownPod, shownZone } from "../objects.ts";
import { registerTemplates } from "../templates.ts";
import { hypervisorName, inPodAndZone, insertCluster } from "./clusters.ts";
import { maintenanceCommands } from "./host-maintenance.ts";
import { hostReply } from "./host-reply.ts";
import { allocationState } from "./zones.ts";

/** Without a cluster's id the host gets the one of the name that was given, or one of its own. */
function standalone(request: Request, pod: Row, hypervisor: string, url: string): Row {
  const { database } = request.cloud;
  const name = request.parameters.clustername ?? `Standalone-${url}`;
  const found = database.table("cluster").find((one) => one.podId === pod.id && one.name === name);
  if (found) return found;
  return insertCluster(database, pod, { name, hypervisor, type: "CloudManaged" });
}

const SSH_PORT = 22;

const notFound = (url: string) => unexpected(`Unable to add the host: Cannot find the server resources at ${url}`);

async function addHost(request: Request): Promise<Reply> {
  const { cloud, parameters } = request;
  const zone = named(request, "zone", "zoneid");
  const pod = named(request, "pod", "podid");
  const { url: text = "", username, password, hosttags } = parameters;
  const hypervisor = hypervisorName(parameters.hypervisor);
  const resourceState = allocationState(parameters.allocationstate) ?? "Enabled";
  if (pod.zoneId !== zone.id)
    throw inPodAndZone(
      invalidValue(`Pod with specified pod ${shownPod(pod)} doesn't belong to the zone with specified zone ${shownZone(zone)}`),
      pod,
      zone,
    );
  if (hypervisor === "None") throw unexpected(`Do not support HypervisorType ${parameters.hypervisor} for ${text}`);
  const url = parsed(text);
  const cluster = parameters.clusterid ? named(request, "cluster", "clusterid") : standalone(request, pod, hypervisor, text);
  const place = { zoneId: zone.id, podId: pod.id, clusterId: cluster.id };
  if (hypervisor === "Simulator") {
    if (!url.hostname.startsWith("sim")) throw notFound(text);
    if (take(cloud.faults, "cloud-host-refused")) throw notFound(text);
    return added(cloud, insertHost(cloud, simulatedHost(cloud, pod, url), { ...place, hypervisor, resourceState, tags: hosttags }));
  }
  if (take(cloud.faults, "cloud-host-refused")) throw notFound(text);
  if (!username) throw invalidValue("Username need to be provided.");
  if (url.hostname.startsWith("sim")) throw notFound(text);
  const contact = { address: await addressOf(url.hostname, text), port: Number(url.port || SSH_PORT) };
  const duplicate = cloud.database.table("host").find((one) => one.address === contact.address && one.type === "Routing");
  if (duplicate) throw notFound(text);
  const found = await connect({ hypervisor, ...contact, username, password: password ?? "" }, text);
  return added(cloud, insertHost(cloud, found, { ...place, ...contact, hypervisor, resourceState, tags: hosttags }));
}

function added(cloud: Cloud, host: Row): Reply {
  const inCluster = { zoneId: host.zoneId, podId: host.podId, clusterId: host.clusterId };
  const hasPool = cloud.database.table("storagepool").some((pool) => pool.clusterId === host.clusterId);
  if (fails(cloud, "CheckNetworkCommand", inCluster) || (hasPool && fails(cloud, "ModifyStoragePoolCommand", inCluster))) {
    // The row stays behind (cloudstack-observed facts 48).
    cloud.database.update(host, { state: "Alert" });
    throw failed(
      `Cannot transit agent status with event AgentDisconnected for host ${shownHost(host)}, management server id is ${SERVER_NUMBER}, ` +
        "Unable to transition to a new state from Creating via AgentDisconnected",
    );
  }
  registerTemplates(cloud, cloud.database.find(host.zoneId) as Row);
  return { count: 1, host: [hostReply(cloud, host)] };
}

/** A host's row has the address of its name, not the name. */
async function addressOf(name: string, url: string): Promise<string> {
  try {
    return (await lookup(name, 4)).address;
  } catch (error) {
    console.error(`addHost ${url}: ${String(error)}`);
    throw notFound(url);
  }
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalidValue(`${text} is not a valid uri`);
  }
}

function updateHost(request: Request): Reply {
  const { cloud, parameters } = request;
  const host = named(request, "host");
  const { allocationstate, name, hosttags, annotation, url, istagarule } = parameters;
  const refuse = (why: string) => unexpected(`Failed to update host: ${shownHost(host)} with id ${host.databaseId}, ${why}`);
  if (allocationstate !== undefined && allocationstate !== "Enable" && allocationstate !== "Disable")
    throw refuse(`Invalid allocation state: ${allocationstate}, only Enable/Disable are allowed`);
  if (istagarule?.toLowerCase() === "true") throw refuse("The parameter istagarule cannot be set to true as JS interpretation is disabled");
  if (url !== undefined) throw refuse(`host: ${shownHost(host)} is not a secondary storage`);
  cloud.database.update(host, {
    ...(allocationstate ? { resourceState: `${allocationstate}d` } : {}),
    ...(name ? { name } : {}),
    ...(hosttags === undefined ? {} : { tags: hosttags }),
    ...(annotation === undefined ? {} : { annotation: annotation || undefined, annotated: timeText() }),
    ...(parameters.oscategoryid ? { osCategoryId: parameters.oscategoryid } : {}),
  });
  return { host: hostReply(cloud, host) };
}

function updateHostPassword(request: Request): Reply {
  const { parameters } = request;
  const row = parameters.hostid ? named(request, "host", "hostid") : named(request, "cluster", "clusterid");
  if (row.hypervisor !== "KVM" && row.hypervisor !== "XenServer")
    throw invalidValue("This operation is not supported for this hypervisor type");
  return { success: true };
}

const detailNames = ["all", "capacity", "events", "stats", "min"];

/** Fields that only some values of `details` show; without it all are shown. */
const detailFields: Record<string, RegExp> = {
  capacity: /^(cpuallocated\w*|cpuwithoverprovisioning|memorytotal|memorywithoverprovisioning|memoryallocated\w+)$/,
  events: /^events$/,
  stats: /^(cpuused|cpuloadaverage|networkkbs\w+|memoryused)$/,
};

function withDetails(reply: Reply, wanted: readonly string[]): Reply {
  if (wanted.length === 0 || wanted.includes("all")) return reply;
  const hidden = Object.entries(detailFields).flatMap(([name, fields]) => (wanted.includes(name) ? [] : [fields]));
  const shown = Object.entries(reply).filter(([name]) => !hidden.some((fields) => fields.test(name)));
  return { ...Object.fromEntries(shown), ...(wanted.includes("capacity") ? {} : { memoryallocated: 0 }) };
}

function listHosts(request: Request): Reply {
  const { cloud, parameters } = request;
  const wanted = parameters.details?.split(",") ?? [];
  if (wanted.some((one) => !detailNames.includes(one)))
    throw invalidValue(`The details parameter contains a non permitted value. The allowed values are [${detailNames.join(", ")}]`);
  const rows = selected(request, cloud.database.table("host"), {
    ...{ type: is("type"), state: is("state"), resourcestate: is("resourceState"), clusterid: is("clusterId") },
    // A name that is none is not looked at (cloudstack-observed facts 46).
    hypervisor: (row, text) => hypervisorName(text) === "None" || isIgnoringCase("hypervisor")(row, text),
  });
  return listReply(
    request,
    "host",
    rows.map((host) => withDetails(hostReply(cloud, host), wanted)),
  );
}

export const hostCommands: Commands = {
  listHosts: { run: listHosts },
  addHost: { run: addHost },
  updateHost: { run: updateHost },
  updateHostPassword: { run: updateHostPassword },
  ...maintenanceCommands,
};
