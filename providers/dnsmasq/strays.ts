import { type Context, findMarks, keptFor, markText } from "../kernel/index.ts";
// Not through site/index.ts: the lease, which that exports, uses this file.
import { type Driver, runOnDriver } from "../site/driver.ts";
import { reloadIfRunning } from "./proof.ts";
import { meanings, REMOVE_STRAYS } from "./scripts.ts";

/** Where dnsmasq of a driver keeps its entries. */
export interface EntryFolders {
  hostsDirectory: string;
  dhcpHostsDirectory: string;
  pidFile: string;
}

/** Removes every entry of our mark that is not to be kept; one that other stacks hold too loses our mark only. @returns their names, as told */
export async function removeStrayEntries(
  context: Context,
  server: Driver,
  place: EntryFolders,
  keep: readonly string[],
): Promise<string[]> {
  const words = [place.hostsDirectory, place.dhcpHostsDirectory, markText(context.mark), keep.join(" ")];
  const lines = (await runOnDriver(context, server, "stray entries", REMOVE_STRAYS, words, meanings)).split("\n").filter(Boolean);
  if (lines.some((line) => findMarks(line).length === 0)) await reloadIfRunning(context, server, place.pidFile);
  const told = lines.map((line) => {
    const [name = ""] = line.split(" ");
    const others = findMarks(line);
    return others.length > 0 ? `${name} (${keptFor(others)})` : name;
  });
  return [...new Set(told)];
}
