import { z } from "zod";
import { type StoreRow, sameUrl, storeDetails } from "./image-store.ts";
import { type CloudServer, details, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface StagingStoreInputs {
  server: CloudServer;
  zone: string;
  url: string;
  provider: string;
  details: Record<string, string>;
  credential?: string | undefined;
}

export interface StagingStoreOutputs {
  id: string;
}

const ADD_SECONDS = 600;

export const stagingStore = defineCloudObject<StagingStoreInputs, StagingStoreOutputs, StoreRow>({
  type: "cloudstack:StagingStore",
  summary: "The NFS store of a zone that lies between its hosts and a region-wide image store (a cache).",
  inputs: z.object({
    ...server,
    zone: zoneName,
    url: z.string().min(1).describe("Its address: `nfs://host/path`."),
    provider: z.string().min(1).default("NFS").describe("Its provider."),
    details: details.describe("What the provider wants besides."),
    credential: z.string().min(1).optional().describe("Name of the credential whose fields are sent beside the details."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "url", "provider", "details", "credential"],
  id: (inputs) => `staging-store/${inputs.zone}/${inputs.url}`,
  title: (inputs) => `staging store ${inputs.url}`,
  async find(cloud, inputs) {
    const zoneid = (await cloud.zone(inputs.zone)).id;
    const rows = await cloud.client.list<StoreRow>("listSecondaryStagingStores", "imagestore", { zoneid });
    return rows.find((one) => sameUrl(one.url, inputs.url));
  },
  async create(cloud, inputs) {
    const { url, provider, credential } = inputs;
    const zoneid = await cloud.ownedZone(inputs.zone);
    const parameters = { zoneid, url, provider, ...storeDetails(cloud, inputs.details, credential) };
    // The reply's inner name differs between releases: it is looked for.
    await cloud.client.change("createSecondaryStagingStore", parameters, ADD_SECONDS);
    return undefined;
  },
  shown: () => ({}),
  made: (row) => ({ id: row.id }),
  async destroy(cloud, _, row) {
    await cloud.client.change("deleteSecondaryStagingStore", { id: row.id });
  },
});
