import type { Cloud } from "./cloud.ts";
import type { Row } from "./database.ts";
import { isReachable } from "./host-connection.ts";

/**
 * The server's look at the real hosts, each `ping.interval`. One that has not answered for `ping.timeout` intervals turns Alert, or Down
 * when another host of its cluster can tell that it is; one that answers again is Up.
 */
export function startPings(cloud: Cloud): void {
  const interval = Number(cloud.loaded("ping.interval")) || 60;
  cloud.after(interval, async () => {
    const hosts = cloud.database.table("host").filter((host) => typeof host.address === "string");
    await Promise.all(hosts.map((host) => look(cloud, host)));
    startPings(cloud);
  });
}

async function look(cloud: Cloud, host: Row): Promise<void> {
  const { database } = cloud;
  const reached = await isReachable(String(host.address), Number(host.port));
  if (database.isRemoved("host", host)) return;
  if (reached) {
    const wasLost = host.state === "Alert" || host.state === "Down";
    database.update(host, { missed: 0, ...(wasLost && host.missed ? { state: "Up" } : {}) });
    return;
  }
  const missed = Number(host.missed ?? 0) + 1;
  database.update(host, { missed });
  if (missed < Number(cloud.loaded("ping.timeout")) || host.state !== "Up") return;
  const witness = database.table("host").some((one) => one !== host && one.clusterId === host.clusterId && one.state === "Up");
  database.update(host, { state: witness ? "Down" : "Alert" });
}
