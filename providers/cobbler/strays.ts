import { type Context, markText } from "../kernel/index.ts";
import { CobblerClient } from "./client.ts";
import { isOurs } from "./comment.ts";
import type { CobblerConnection } from "./connection.ts";

/** Lets cobbler forget the names and addresses of removed systems: where it manages DHCP or DNS they stay until the next sync (cobbler facts §9). */
export async function syncRemovals(client: CobblerClient): Promise<void> {
  const { manage_dhcp: dhcp, manage_dns: dns } = await client.settings();
  if (dhcp || dns) await client.sync();
}

/** Removes every system of our mark that is not to be kept. @returns their names */
export async function removeStraySystems(context: Context, connection: CobblerConnection, keep: ReadonlySet<string>): Promise<string[]> {
  const client = new CobblerClient(context, connection);
  const marked = await client.find("system", { comment: `*${markText(context.mark)}*` });
  const removed: string[] = [];
  for (const name of marked.filter((one) => !keep.has(one))) {
    // Cobbler compares without regard to case: what it found is looked at once more before it goes.
    const item = await client.get("system", name);
    if (!item || !isOurs(item, context.mark)) continue;
    await client.remove("system", name);
    removed.push(name);
  }
  if (removed.length > 0) await syncRemovals(client);
  return removed;
}
