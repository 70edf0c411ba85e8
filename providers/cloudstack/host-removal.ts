import { limiter, TestbedError, waitFor } from "../kernel/index.ts";
import { alertsAbout } from "./alerts.ts";
import { pollPace } from "./client.ts";
import type { Cloud } from "./cloud.ts";
import { BROKEN, deleteForced, type HostRow } from "./host-rows.ts";

const MAINTENANCE_SECONDS = 900;
/** How often a maintenance that failed is begun again. */
const TRIES = 2;

/** Maintenance, its end, deletion; one host of a cluster after the other, for a second one is refused while the first goes into it. */
export async function removeHost(cloud: Cloud, row: HostRow & { clusterid?: string }): Promise<void> {
  const turn = limiter(`${cloud.client.identity} leaving ${row.clusterid ?? "clusters"}`, 1);
  await turn(async () => {
    // One that is not connected cannot move its VMs; nor need it.
    if (row.state === "Up") await maintain(cloud, row);
    await deleteForced(cloud, row.id);
  });
}

async function maintain(cloud: Cloud, { id, name, resourcestate }: HostRow): Promise<void> {
  const { client, context } = cloud;
  let seen = resourcestate;
  for (let tries = 1; seen !== "Maintenance"; tries++) {
    context.phase("moving into maintenance");
    if (/^Error/.test(seen)) await client.changeAndWait("cancelHostMaintenance", { id });
    if (!/^PrepareForMaintenance/.test(seen)) await client.changeAndWait("prepareHostForMaintenance", { id });
    // The job ends before the state is reached (cloudstack-observed facts 38).
    const options = { timeoutSeconds: MAINTENANCE_SECONDS, everySeconds: pollPace, object: `host ${name}`, system: client.system };
    seen = await waitFor<string>("the maintenance of the host", context, options, async () => {
      const [now] = await client.list<HostRow>("listHosts", "host", { id });
      if (!now || BROKEN.includes(now.state)) return { done: "Maintenance" };
      const { resourcestate: state } = now;
      return state === "Maintenance" || /^Error/.test(state) ? { done: state } : { seen: `state ${state}` };
    });
    if (seen !== "Maintenance" && tries >= TRIES) throw await failed(cloud, name, seen);
  }
}

async function failed(cloud: Cloud, name: string, state: string): Promise<TestbedError> {
  return new TestbedError({
    system: cloud.client.system,
    object: `host ${name}`,
    kind: "refused",
    code: "maintenance",
    message: `its maintenance ended in ${state}; ${await alertsAbout(cloud.client, name)}`,
    remedy: "stop or move the VMs on it by hand, then run the command again",
  });
}
