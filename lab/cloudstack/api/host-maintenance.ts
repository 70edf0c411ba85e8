import type { Cloud } from "../cloud.ts";
import type { Commands, Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { leaveHost } from "../instances.ts";
import { childrenOf, inJob, isSet, named, removable, shownHost } from "../objects.ts";
import { hostReply } from "./host-reply.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.host.";

/** From the end of the job to Maintenance: up to a ping of the agent (cloudstack-observed facts 38). */
const MAINTENANCE_SECONDS = 5;

function prepare(request: Request): Reply {
  const { cloud } = request;
  const { database } = cloud;
  const host = named(request, "host");
  const refuse = (why: string) => failed(`Failed to prepare host for maintenance due to: ${why}`);
  if (host.resourceState !== "Enabled" && host.resourceState !== "Disabled")
    throw refuse(`Host is already in state ${host.resourceState}. Cannot recall for maintenance until resolved.`);
  const busy = database
    .table("host")
    .find((one) => one !== host && one.clusterId === host.clusterId && one.resourceState === "PrepareForMaintenance");
  if (busy) throw refuse("There are other servers in PrepareForMaintenance OR ErrorInPrepareForMaintenance STATUS in cluster.");
  database.update(host, { resourceState: "PrepareForMaintenance" });
  leaveHost(cloud, host);
  cloud.after(MAINTENANCE_SECONDS, () => settle(cloud, host));
  return { host: inJob(request, hostReply(cloud, host)) };
}

function settle(cloud: Cloud, host: Row): void {
  if (host.resourceState === "PrepareForMaintenance") cloud.database.update(host, { resourceState: "Maintenance" });
}

function cancel(request: Request): Reply {
  const { cloud } = request;
  const host = named(request, "host");
  if (!["Maintenance", "PrepareForMaintenance", "ErrorInMaintenance", "ErrorInPrepareForMaintenance"].includes(String(host.resourceState)))
    throw failed(`Cannot perform cancelMaintenance when resource state is ${host.resourceState}, host: ${shownHost(host)}`);
  cloud.database.update(host, { resourceState: "Enabled" });
  return { host: inJob(request, hostReply(cloud, host)) };
}

/** Until a host that was reconnected is Up again (cloudstack-observed facts 51). */
const RECONNECT_SECONDS = 30;

function reconnect(request: Request): Reply {
  const { cloud } = request;
  const host = named(request, "host");
  if (host.state !== "Up") throw failed(`Unable to disconnect host because it is not connected to this server: ${shownHost(host)}`);
  cloud.database.update(host, { state: "Disconnected" });
  cloud.after(RECONNECT_SECONDS, () => {
    if (host.state === "Disconnected") cloud.database.update(host, { state: "Up" });
  });
  return { host: inJob(request, hostReply(cloud, host)) };
}

function deleteHost(request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const host = removable(request, "host", () => invalidValue(`Host with id ${parameters.id} doesn't exist`));
  const forced = isSet(parameters.forced);
  if (!forced && host.resourceState !== "Maintenance" && host.resourceState !== "Degraded")
    throw failed(
      `Host ${host.id} cannot be deleted as it is not in maintenance mode. Either put the host into maintenance or perform a forced deletion.`,
    );
  leaveHost(cloud, host);
  for (const pool of childrenOf(database, "storagepool", "hostId", host)) database.forget("storagepool", pool);
  removeHost(database, host);
  return { success: true };
}

export function removeHost(database: Database, host: Row): void {
  database.update(host, { state: "Removed" });
  database.remove("host", host);
}

export const maintenanceCommands: Commands = {
  prepareHostForMaintenance: { job: { class: `${CLASSES}PrepareForMaintenanceCmd`, instanceType: "Host" }, run: prepare },
  cancelHostMaintenance: { job: { class: `${CLASSES}CancelMaintenanceCmd`, instanceType: "Host" }, run: cancel },
  reconnectHost: { job: { class: `${CLASSES}ReconnectHostCmd`, instanceType: "Host" }, run: reconnect },
  declareHostAsDegraded: {
    job: { class: `${CLASSES}DeclareHostAsDegradedCmd`, instanceType: "Host" },
    run(request) {
      const host = named(request, "host");
      if (host.state !== "Disconnected" && host.state !== "Alert")
        throw invalidValue(`Cannot perform declare host (${shownHost(host)}) as 'Degraded' when host is in ${host.state} status`);
      request.cloud.database.update(host, { resourceState: "Degraded" });
      return { host: inJob(request, hostReply(request.cloud, host)) };
    },
  },
  deleteHost: { run: deleteHost },
};
