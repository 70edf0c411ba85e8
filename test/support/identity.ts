import { listClaims } from "../../providers/site/index.ts";
import { testContext } from "./context.ts";
import { driver } from "./light-host.ts";
import type { Project } from "./project.ts";
import { listed } from "./puppet.ts";
import { Pool } from "./xen-server.ts";

/** What tells an environment from another one that was made like it. */
export interface Identity {
  hosts: unknown[];
  vm: string[];
  certificates: string[];
  claims: string[];
}

/** That of the stack kvm on its half of the lab. */
export async function identity(project: Project): Promise<Identity> {
  const pool = new Pool();
  await pool.api.connect();
  const vms = await pool.vms();
  await pool.api.disconnect();
  return {
    hosts: Object.values(await project.hosts()).map((host) => [host.tokenFingerprint, host.hostKey]),
    vm: vms.map((one) => one.uuid),
    certificates: await Promise.all(["h11", "h12", "management"].map((name) => listed(`${name}.lab.test`))),
    claims: (await listClaims(testContext(), driver)).map(({ claim, since }) => `${claim} ${since}`).sort(),
  };
}
