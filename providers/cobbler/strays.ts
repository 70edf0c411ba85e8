import { type Context, findMark, markText, sameMark } from "../kernel/index.ts";
import { CobblerClient, type CobblerConnection } from "./client.ts";

/** Removes every system of our mark that is not to be kept. @returns their names */
export async function removeStraySystems(context: Context, connection: CobblerConnection, keep: ReadonlySet<string>): Promise<string[]> {
  const client = new CobblerClient(context, connection);
  const marked = await client.find("system", { comment: `*${markText(context.mark)}*` });
  const removed: string[] = [];
  for (const name of marked.filter((one) => !keep.has(one))) {
    // Cobbler compares without regard to case: what it found is looked at once more before it goes.
    const item = await client.get("system", name);
    if (!item || !sameMark(findMark(String(item.comment)), context.mark)) continue;
    await client.remove("system", name);
    removed.push(name);
  }
  if (removed.length > 0) {
    const { manage_dhcp: dhcp, manage_dns: dns } = await client.settings();
    // Only then does a removal leave anything behind: DHCP and DNS entries stay until the next sync (cobbler facts §9).
    if (dhcp || dns) await client.sync();
  }
  return removed;
}
