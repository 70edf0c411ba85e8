import { readdirSync, readFileSync, readlinkSync } from "node:fs";

interface Row {
  pid: number;
  parent: number;
  command: string;
  folder: string;
}

/** Every process that can be looked at; one that ends meanwhile is left out. */
function rows(): Row[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The second field is the program's name and may hold spaces: count from its closing bracket.
      const [state, parent] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      if (state === "Z") return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return [{ pid: Number(name), parent: Number(parent), command, folder: readlinkSync(`/proc/${name}/cwd`) }];
    } catch {
      return [];
    }
  });
}

/** A process and all below it, itself first. */
export function processTree(ancestor: number): { pid: number; command: string }[] {
  const all = rows();
  const tree = all.filter((row) => row.pid === ancestor);
  for (const one of tree) tree.push(...all.filter((row) => row.parent === one.pid));
  return tree;
}

/** Command lines of the processes that work in a folder. */
export function processesIn(folder: string): string[] {
  return rows()
    .filter((row) => row.folder === folder)
    .map((row) => row.command);
}
