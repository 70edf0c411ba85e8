import { readdirSync, readFileSync, readlinkSync } from "node:fs";

function linkOf(pid: string, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${name}`);
  } catch {
    return undefined; // it has just ended
  }
}

/** The PID namespace that a child of the process made for its own children, as `pid:[4026532000]`; undefined before there is one. */
export function childNamespace(pid: number): string | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return children.map((child) => linkOf(child, "pid_for_children")).find((one) => one !== undefined && one !== linkOf("self", "pid"));
  } catch {
    return undefined; // it has just ended
  }
}

/** The processes of a PID namespace, by the numbers that they have here. */
export function processesIn(namespace: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && linkOf(name, "pid") === namespace);
}
