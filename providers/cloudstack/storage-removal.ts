import { errorText, TestbedError, waitFor } from "../kernel/index.ts";
import { pollPace } from "./client.ts";
import type { Cloud } from "./cloud.ts";

const MAINTENANCE_SECONDS = 900;

interface Pool {
  id: string;
  name: string;
  state: string;
}

/** Maintenance, its end, deletion: a pool outside of maintenance cannot be deleted, not even by force. */
export async function removePool(cloud: Cloud, row: Pool): Promise<void> {
  const { client, context } = cloud;
  const { id, name } = row;
  if (row.state !== "Maintenance") {
    context.phase("moving into maintenance");
    try {
      await client.changeAndWait("enableStorageMaintenance", { id }, 600);
    } catch (error) {
      throw await undone(cloud, row, error);
    }
    const options = { timeoutSeconds: MAINTENANCE_SECONDS, everySeconds: pollPace, object: `storage pool ${name}`, system: client.system };
    await waitFor("the maintenance of the pool", context, options, async () => {
      const [now] = await client.list<Pool>("listStoragePools", "storagepool", { id });
      if (!now || now.state === "Maintenance") return { done: true };
      if (/^Error/.test(now.state)) throw await undone(cloud, row, `state ${now.state}`);
      return { seen: `state ${now.state}` };
    });
  }
  await client.change("deleteStoragePool", { id, forced: "true" }, 300);
}

/** A pool that cannot go stays in use: it is taken out of the maintenance that failed. */
async function undone(cloud: Cloud, { id, name, state }: Pool, cause: unknown): Promise<TestbedError> {
  // Where the maintenance never began there is nothing to end.
  const end =
    state === "Up" ? await cloud.client.changeAndWait("cancelStorageMaintenance", { id }).catch((error: unknown) => error) : undefined;
  const left = end instanceof Error ? "; it could not be taken out of it either" : "";
  return new TestbedError({
    system: cloud.client.system,
    object: `storage pool ${name}`,
    kind: "refused",
    code: "maintenance",
    message: `its maintenance failed: ${errorText(cause)}${left}`,
    remedy:
      "stop or move the VMs whose disks it holds, then run the command again; the last pool of a zone goes with the zone's system VMs",
    cause,
  });
}
