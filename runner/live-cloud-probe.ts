import { CloudStackClient, databaseGreeting, usualPorts } from "../providers/cloudstack/index.ts";
import { type Context, errorText, markText, TestbedError } from "../providers/kernel/index.ts";
import { ownershipOf } from "../providers/kernel/ownership.ts";
import { type StoreInputs, store } from "../providers/nfs/index.ts";
import type { Plan } from "../stacks/plan.ts";
import type { PlannedStore } from "../stacks/plan-cloud.ts";
import type { CloudProbe, ExpectedStore } from "./cloud-suite.ts";
import { exportFault } from "./nfs-export.ts";

/** Asks the real management server, and each NFS server: over SSH for its markers, as an NFS client for its exports. */
export function liveCloudProbe(context: Context, plan: Plan): CloudProbe {
  const open = (address: string, port: number) => new CloudStackClient(context, { address, port }, { kind: "open" });
  return {
    database: (address) => databaseGreeting(address, usualPorts.database),
    async release(address) {
      const { capability } = await open(address, usualPorts.open).once("listCapabilities");
      return String((capability as { cloudstackversion?: string } | undefined)?.cloudstackversion);
    },
    async api(address) {
      try {
        await open(address, usualPorts.api).once("listCapabilities");
      } catch (error) {
        if (error instanceof TestbedError && error.code?.startsWith("401")) return undefined;
        throw error;
      }
      return `${address}:${usualPorts.api} answers anybody: it must be the open port only that asks for no keys`;
    },
    marker: (one) => markerOf(context, planned(plan, one)),
    exported: ({ server, path }) => exportFault(server, path),
  };
}

function planned({ stores }: Plan, { server, path }: ExpectedStore): PlannedStore {
  const found = stores.list.find((one) => one.server.address === server && one.path === path);
  if (!found) throw new Error(`the plan has no store ${server}:${path}`);
  return found;
}

async function markerOf(
  context: Context,
  { server, roots, path, kind }: PlannedStore,
): Promise<{ generation: string } | { fault: string }> {
  const inputs = store.inputs.parse({ server, roots, path, kind, generation: "asked" }) as unknown as StoreInputs;
  try {
    const seen = await store.observe(context, inputs, undefined);
    if (seen) return { generation: String(seen.inputs.generation) };
    const [holding] = (await ownershipOf(store.type)?.holdings(context, inputs as unknown as Record<string, unknown>)) ?? [];
    if (!holding) return { fault: `${path} does not exist, or nothing has marked it; \`pulumi refresh\` and \`pulumi up\` make it` };
    return { fault: `${path} is held by ${holding.holder ? markText(holding.holder) : "nobody, and holds something"}, not by this stack` };
  } catch (error) {
    // What the server's own guards refuse is an answer; that nobody answers is none.
    if (error instanceof TestbedError && error.kind !== "unreachable" && error.kind !== "timeout") return { fault: errorText(error) };
    throw error;
  }
}
