import { addStartAlerts } from "./alerts.ts";
import type { Cloud } from "./cloud.ts";
import { agentOf } from "./instances.ts";
import { failInterruptedJobs } from "./jobs.ts";
import { startScans } from "./system-vms.ts";
import { resetDownloads, startDownloads } from "./templates.ts";

/** Until the hosts of a server that starts are connected again (cloudstack-observed facts 54). */
const RECONNECT_SECONDS = 5;

/** What a server does of itself from its start on. */
export function startServices(cloud: Cloud): void {
  const { database } = cloud;
  failInterruptedJobs(database);
  resetDownloads(database);
  addStartAlerts(database);
  const connected = database.table("host").filter((host) => host.state === "Up");
  for (const host of connected) database.update(host, { state: "Disconnected" });
  cloud.after(RECONNECT_SECONDS, () => {
    for (const host of connected) if (host.state === "Disconnected") database.update(host, { state: "Up" });
    for (const zone of database.table("zone")) if (hasWorker(cloud, zone.id)) startDownloads(cloud, zone);
  });
  resumeStarts(cloud);
  startScans(cloud);
}

const hasWorker = ({ database }: Cloud, zoneId: string) =>
  database
    .table("instance")
    .some((vm) => vm.zoneId === zoneId && vm.type === "SecondaryStorageVm" && agentOf(database, vm)?.state === "Up");

/** Instances that were being started when the last server ended are stopped, and started by the next scan. */
function resumeStarts({ database }: Cloud): void {
  for (const vm of database.table("instance")) if (vm.state === "Starting") database.update(vm, { state: "Stopped", hostId: undefined });
}
