import { join, resolve } from "node:path";
import type { Lab } from "../lab/index.ts";
import { projectFolder } from "./project.ts";

/** Set for commands inside a lab's namespaces: the site they are at. Whoever has it is not taken inside again. */
export const insideVariable = "TESTBED_INSIDE_LAB";

/** The lab of an embedded site. Its state lies below `.testbed/` unless said otherwise. */
export function labOf(site: string, state?: string): Lab {
  const folder = site === "lab" ? "lab" : `lab-${site}`;
  return { checkout: projectFolder, site, state: state ? resolve(state) : join(projectFolder, ".testbed", folder) };
}
