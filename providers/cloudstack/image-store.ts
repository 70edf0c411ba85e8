import { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { type CloudServer, details, objectName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";
import { placeOf } from "./storage-pool.ts";
import { detailParameters } from "./zone.ts";

export interface ImageStoreInputs {
  server: CloudServer;
  zone: string;
  name?: string | undefined;
  url?: string | undefined;
  provider: string;
  details: Record<string, string>;
  credential?: string | undefined;
  readOnly: boolean;
}

export interface ImageStoreOutputs {
  id: string;
}

export interface StoreRow {
  id: string;
  name: string;
  url?: string;
  zoneid?: string;
  providername: string;
  readonly?: boolean;
}

/** The first one of a zone is filled with the system VMs' templates. */
const ADD_SECONDS = 1800;

/** Stores that belong to one zone; the others are the region's. */
const OF_A_ZONE = ["nfs", "smb"];

export const isOfZone = (provider: string) => OF_A_ZONE.includes(provider.toLowerCase());

export function sameUrl(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return JSON.stringify(placeOf(one)) === JSON.stringify(placeOf(other));
}

/** What the store is told besides its address: details, and the fields of a credential by the names that the API has for them. */
export function storeDetails(cloud: Cloud, given: Record<string, string>, credential: string | undefined): Record<string, string> {
  return detailParameters({ ...given, ...(credential ? cloud.context.credential(credential) : {}) });
}

export const imageStore = defineCloudObject<ImageStoreInputs, ImageStoreOutputs, StoreRow>({
  type: "cloudstack:ImageStore",
  summary: "Secondary storage: of a zone (NFS, SMB), or of the whole region (S3, Swift).",
  inputs: z.object({
    ...server,
    zone: zoneName.describe("Name of the zone whose configuration names it. NFS and SMB stores are in it, the others serve all zones."),
    name: objectName
      .optional()
      .describe("Its name, unique on the server; by default its address. Two zones that share an address need it."),
    url: z.string().min(1).optional().describe("Its address: `nfs://host/path`."),
    provider: z.string().min(1).default("NFS").describe("`NFS`, `S3`, `SMB` or `Swift`."),
    details: details.describe("What the provider wants besides, without its secrets: `bucket`, `endpoint`, `usehttps` ..."),
    credential: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Name of the credential whose fields are sent beside the details: `accesskey` and `secretkey` of S3, `user` and `password` of SMB ...",
      ),
    readOnly: z.boolean().default(false).describe("Whether nothing new is stored there."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "url", "provider", "details", "credential"],
  deadlineSeconds: 3600,
  id: (inputs) => `image-store/${inputs.zone}/${inputs.name ?? inputs.url}`,
  title: (inputs) => `image store ${inputs.name ?? inputs.url}`,
  async find(cloud, inputs) {
    const zoneid = isOfZone(inputs.provider) ? (await cloud.zone(inputs.zone)).id : undefined;
    const rows = await cloud.client.list<StoreRow>("listImageStores", "imagestore");
    const alike = rows.filter((one) => one.zoneid === zoneid && one.providername.toLowerCase() === inputs.provider.toLowerCase());
    return alike.find((one) => (inputs.url ? sameUrl(one.url, inputs.url) : one.name === inputs.name));
  },
  async create(cloud, inputs) {
    const { name, url, provider, credential } = inputs;
    const zoneid = await cloud.ownedZone(inputs.zone);
    const parameters = {
      provider,
      ...(url ? { url } : {}),
      ...(name ? { name } : {}),
      ...(isOfZone(provider) ? { zoneid } : {}),
      ...storeDetails(cloud, inputs.details, credential),
    };
    return (await cloud.client.change("addImageStore", parameters, ADD_SECONDS)).imagestore as StoreRow;
  },
  shown: (row, inputs) => ({
    ...(inputs.name === undefined ? {} : { name: row.name }),
    readOnly: row.readonly ?? false,
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    await cloud.client.set("updateImageStore", {
      id: row.id,
      ...(differing.has("name") && inputs.name ? { name: inputs.name } : {}),
      ...(differing.has("readOnly") ? { readonly: String(inputs.readOnly) } : {}),
    });
  },
  async destroy(cloud, _, row) {
    await cloud.client.change("deleteImageStore", { id: row.id });
  },
});
