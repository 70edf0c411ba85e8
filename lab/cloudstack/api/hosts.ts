import type { Cloud } from "../cloud.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import { type Row, timeText } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { invalidValue, unexpected } from "../errors.ts";
import { connect } from "../host-connection.ts";
import { insertHost, simulatedHost } from "../hosts.ts";
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
    if (!url.hostname.startsWith("sim")) throw unexpected(`Unable to add the host: Cannot find the server resources at ${text}`);
    return added(cloud, insertHost(cloud, simulatedHost(cloud, pod, url), { ...place, hypervisor, resourceState, tags: hosttags }));
  }
  if (!username) throw invalidValue("Username need to be provided.");
  const duplicate = cloud.database.table("host").find((one) => one.address === url.hostname && one.type === "Routing");
  if (duplicate || url.hostname.startsWith("sim")) throw unexpected(`Unable to add the host: Cannot find the server resources at ${text}`);
  const found = await connect(cloud, { hypervisor, address: url.hostname, username, password: password ?? "" }, text);
  return added(cloud, insertHost(cloud, found, { ...place, hypervisor, resourceState, tags: hosttags, address: url.hostname }));
}

function added(cloud: Cloud, host: Row): Reply {
  registerTemplates(cloud, cloud.database.find(host.zoneId) as Row);
  return { count: 1, host: [hostReply(cloud, host)] };
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
    rows.map((host) => hostReply(cloud, host)),
  );
}

export const hostCommands: Commands = {
  listHosts: { run: listHosts },
  addHost: { run: addHost },
  updateHost: { run: updateHost },
  updateHostPassword: { run: updateHostPassword },
  ...maintenanceCommands,
};
