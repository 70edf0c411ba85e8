import { z } from "zod";
import { defineResource } from "../kernel/index.ts";
import { CobblerClient } from "./client.ts";
import { type CobblerConnection, connectionSchema } from "./connection.ts";

export interface SyncInputs {
  server: CobblerConnection;
  digest: string;
}

export interface SyncOutputs {
  syncedAt: string;
}

export const sync = defineResource<SyncInputs, SyncOutputs>({
  type: "cobbler:Sync",
  summary: "One full `cobbler sync` for each change of what can be installed. Systems need none: their save writes their own boot files.",
  inputs: z.object({
    server: connectionSchema.describe("The cobbler server."),
    digest: z.string().min(1).describe("Fingerprint of distros, profiles and templates; a change of it means one sync."),
  }),
  outputs: { syncedAt: "When the last sync ended (ISO 8601, UTC)." },
  replaceOn: ["server.url"],
  deadlineSeconds: 1800,
  id: (inputs) => `sync/${new URL(inputs.server.url).host}`,
  // An action: there is nothing on the server to compare with.
  observe: async (_context, inputs, previous) =>
    previous?.syncedAt ? { inputs: { digest: inputs.digest }, outputs: { syncedAt: previous.syncedAt } } : undefined,
  async reconcile(context, inputs) {
    context.phase("full sync");
    await new CobblerClient(context, inputs.server).sync();
    return { syncedAt: new Date().toISOString() };
  },
  remove: async () => undefined,
});
