import { markText } from "../kernel/index.ts";
import { keysByType, type MarkedSystem } from "../kernel/marked.ts";
import { type Driver, runOnDriver } from "./driver.ts";
import { lease } from "./lease.ts";
import { RELEASE } from "./lease-scripts.ts";
import { claimsDirectory, listClaims } from "./ownership.ts";

/** The claims on a driver. */
export function markedClaims(server: Driver, directory = claimsDirectory): MarkedSystem {
  return {
    system: `leases of driver ${server.address}`,
    server: server.address,
    keysOf: keysByType({ [lease.type]: ({ claims }) => (claims as string[]).map((claim) => `claim/${claim}`) }),
    list: async (context) =>
      (await listClaims(context, server, directory)).flatMap(({ claim, holder }) =>
        holder ? [{ key: `claim/${claim}`, object: `claim ${claim}`, marks: [holder] }] : [],
      ),
    async remove(context, { key }) {
      await runOnDriver(context, server, "leases", RELEASE, [directory, markText(context.mark), key.slice("claim/".length)]);
    },
  };
}
