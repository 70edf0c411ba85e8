import { createHash } from "node:crypto";
import type { Cloud } from "./cloud.ts";

export interface HostRow {
  id: string;
  name: string;
  /** Of the connection: Up, Disconnected, Alert ... */
  state: string;
  /** Of its use: Enabled, Disabled, Maintenance ... */
  resourcestate: string;
  ipaddress?: string;
  hypervisor?: string;
  hosttags?: string;
  created?: string;
}

/** States of the connection that do not heal by themselves. */
export const BROKEN = ["Alert", "Down", "Error"];

const MARK_TAG = "testbed-";

/** The tag by which a simulated host is known again: the server keeps nothing of its address (cloudstack-observed facts 25). */
export const urlTag = (url: string) => `${MARK_TAG}${createHash("sha256").update(url).digest("hex").slice(0, 12)}`;

export const tagsOf = (row: HostRow) =>
  (row.hosttags ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

/** The configuration's own tags of a host. */
export const ownTags = (row: HostRow) => tagsOf(row).filter((one) => !one.startsWith(MARK_TAG));

export function hostsOf(cloud: Cloud, clusterid: string): Promise<HostRow[]> {
  return cloud.client.list<HostRow>("listHosts", "host", { clusterid, type: "Routing" });
}

/** Of two rows of one host the newest counts (cloudstack-observed facts 53). */
export const newest = (rows: readonly HostRow[]) =>
  [...rows].sort((one, other) => (other.created ?? "").localeCompare(one.created ?? ""))[0];

/** Removes the rows that failed additions left in a cluster of ours: a host that was added has a tag or an address that is known. */
export async function removeFailedHosts(cloud: Cloud, clusterid: string): Promise<void> {
  for (const row of await hostsOf(cloud, clusterid)) if (row.state === "Alert") await deleteForced(cloud, row.id);
}

export async function deleteForced(cloud: Cloud, id: string): Promise<void> {
  await cloud.client.change("deleteHost", { id, forced: "true", forcedestroylocalstorage: "true" }, 300);
}
