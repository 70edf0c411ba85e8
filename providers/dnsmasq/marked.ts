import { findMarks } from "../kernel/index.ts";
import { keysByType, type MarkedObject, type MarkedSystem } from "../kernel/marked.ts";
import { type Driver, runOnDriver } from "../site/index.ts";
import { host, removeEntry } from "./host.ts";
import { MARKED } from "./scripts.ts";
import type { EntryFolders } from "./strays.ts";

/** The entries of a driver's dnsmasq, each one object though it has two files. */
export function markedEntries(server: Driver, folders: EntryFolders): MarkedSystem {
  return {
    system: `dnsmasq ${server.address}`,
    server: server.address,
    keysOf: keysByType({ [host.type]: ({ name }) => [`entry/${name}`] }),
    async list(context) {
      const words = [folders.hostsDirectory, folders.dhcpHostsDirectory];
      const lines = (await runOnDriver(context, server, "entries", MARKED, words)).split("\n").filter(Boolean);
      const names = [...new Set(lines.map((line) => line.split("\t")[0] ?? ""))];
      return names.map((name): MarkedObject => {
        const firstLines = new Set(lines.filter((line) => line.startsWith(`${name}\t`)));
        const marks = findMarks([...firstLines].join("\n"));
        return { key: `entry/${name}`, object: `entry ${name}`, marks };
      });
    },
    remove: (context, { key }) => removeEntry(context, { server, ...folders, name: key.slice("entry/".length) }),
  };
}
