import { keysByType, type MarkedSystem } from "../kernel/marked.ts";
import { Xapi } from "./client.ts";
import type { XenServerConnection } from "./connection.ts";
import { markedNames } from "./find.ts";
import type { PoolRecord, Records } from "./records.ts";
import { removeAll } from "./remove.ts";
import { virtualMachine } from "./virtual-machine.ts";

/** How long a VM may take to be switched off, and its removal to be done. */
const POWER_SECONDS = 120;

/**
 * The VMs of a XenServer or of its pool, each with its disks; disks and half-made clones alone count too. A pool is listed where its
 * coordinator is asked, unless that is none of the given servers.
 */
export function markedVms(connection: XenServerConnection): MarkedSystem {
  return {
    system: `XenServer ${connection.address}`,
    server: connection.address,
    keysOf: keysByType({ [virtualMachine.type]: ({ name }) => [`vm/${name}`] }),
    async list(context) {
      const xapi = new Xapi(context, connection);
      return xapi.step(async () => {
        const { coordinator, addresses } = await poolOf(xapi);
        if (coordinator !== connection.address && connection.members[coordinator] !== undefined) return [];
        const marked = await markedNames(xapi);
        return [...marked].map(([name, marks]) => ({ key: `vm/${name}`, object: `VM ${name}`, marks, servers: addresses }));
      });
    },
    async remove(context, { key }) {
      const xapi = new Xapi(context, connection);
      await xapi.step(() => removeAll(context, xapi, key.slice("vm/".length), POWER_SECONDS));
    },
  };
}

/** The addresses of the hosts that one API serves. */
async function poolOf(xapi: Xapi): Promise<{ coordinator: string; addresses: string[] }> {
  const [pool] = Object.values(await xapi.call<Records<PoolRecord>>("pool.get_all_records"));
  const hosts = await xapi.call<Records<{ address: string }>>("host.get_all_records");
  return { coordinator: hosts[pool?.master ?? ""]?.address ?? "", addresses: Object.values(hosts).map((host) => host.address) };
}
