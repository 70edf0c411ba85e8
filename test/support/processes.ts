import { readdirSync, readFileSync, readlinkSync } from "node:fs";

interface Row {
  pid: number;
  parent: number;
  command: string;
  folder: string;
}

/** The arguments of a process, with spaces between them. Throws for one that has ended. */
export function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}

/** Every process that can be looked at; one that ends meanwhile is left out. */
function rows(): Row[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The second field is the program's name and may hold spaces: count from its closing bracket.
      const [state, parent] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      if (state === "Z") return [];
      return [{ pid: Number(name), parent: Number(parent), command: commandOf(Number(name)), folder: readlinkSync(`/proc/${name}/cwd`) }];
    } catch {
      return [];
    }
  });
}

/** Processes and all below them, themselves first. */
export function processTree(...ancestors: number[]): { pid: number; command: string }[] {
  const all = rows();
  const tree = all.filter((row) => ancestors.includes(row.pid));
  for (const one of tree) tree.push(...all.filter((row) => row.parent === one.pid));
  return tree;
}

/** Command lines of the processes that work in a folder. */
export function processesIn(folder: string): string[] {
  return rows()
    .filter((row) => row.folder === folder)
    .map((row) => row.command);
}
