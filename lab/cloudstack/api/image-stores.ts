import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { childrenOf, is, isIgnoringCase, isSet, keyedDetails, named, place, removable, selected } from "../objects.ts";
import { registerTemplates } from "../templates.ts";

function storeReply(database: Database, store: Row): Reply {
  return {
    id: store.id,
    ...place(database, store, "zone"),
    name: store.name,
    ...(store.url ? { url: store.url } : {}),
    protocol: store.protocol,
    providername: store.provider,
    scope: store.scope,
    ...(store.isStaging ? {} : { readonly: store.readonly === true }),
    hasannotations: false,
  };
}

/** Spelled as replies spell them; what is none of them is NFS (cloudstack-observed facts 33). */
const providers = ["NFS", "S3", "Swift", "SMB"];
const providerName = (text: string | undefined) => providers.find((one) => one.toLowerCase() === text?.toLowerCase()) ?? "NFS";

function addImageStore(request: Request, defaultProvider?: string): Row {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const { url } = parameters;
  const provider = providerName(parameters.provider ?? defaultProvider);
  const zone = parameters.zoneid ? named(request, "zone", "zoneid") : undefined;
  const details = keyedDetails(parameters) ?? {};
  const isFile = provider === "NFS" || provider === "SMB";
  const name = parameters.name ?? url ?? details.endpoint ?? provider;
  const stores = database.table("imagestore");
  if (stores.some((one) => one.name === name))
    throw invalidValue(`The image store with name ${name} already exists, try creating with another name`);
  const scheme = /^([a-z0-9]+):\/\//i.exec(url ?? "")?.[1];
  if (isFile && !scheme) throw failed(`Failed to add data store: uri.scheme is null ${url}, add nfs:// as a prefix`);
  if (isFile && !zone)
    throw failed("Failed to add data store: DataCenter id is null, and simulator image store has to be associated with a data center");
  const another = stores.find((one) => one.provider !== provider);
  if (another) throw invalidValue(`You can only add new image stores from the same provider ${another.provider} already added`);
  const protocol = isFile ? scheme?.toLowerCase() : isSet(details.usehttps) ? "https" : "http";
  const store = database.insert("imagestore", {
    name,
    url,
    provider,
    protocol,
    scope: zone ? "ZONE" : "REGION",
    zoneId: zone?.id,
    details,
  });
  for (const each of zone ? [zone] : database.table("zone")) registerTemplates(cloud, each);
  return store;
}

function updateImageStore(request: Request): Reply {
  const { database } = request.cloud;
  const store = named(request, "imagestore", "id", "image store");
  const { name, readonly, capacitybytes } = request.parameters;
  database.update(store, {
    ...(name ? { name } : {}),
    ...(readonly === undefined ? {} : { readonly: isSet(readonly) }),
    ...(capacitybytes ? { capacity: Number(capacitybytes) } : {}),
  });
  return { imagestore: storeReply(database, store) };
}

/** Templates of the store go with it, without a word (cloudstack-observed facts 34). */
function deleteImageStore(request: Request): Reply {
  const { database } = request.cloud;
  const store = removable(request, "imagestore", (number) => invalidValue(`Unable to find image store with id ${number}`));
  for (const copy of childrenOf(database, "templatecopy", "storeId", store)) database.remove("templatecopy", copy);
  database.remove("imagestore", store);
  return { success: true };
}

function createStagingStore(request: Request): Reply {
  const { cloud, parameters } = request;
  const { url = "" } = parameters;
  const zone = parameters.zoneid ? named(request, "zone", "zoneid") : undefined;
  const scheme = /^([a-z0-9]+):\/\//i.exec(url)?.[1];
  if (!scheme) throw failed(`Failed to add data store: uri.scheme is null ${url}, add nfs:// as a prefix`);
  const store = cloud.database.insert("stagingstore", {
    ...{
      name: url,
      url,
      provider: "NFS",
      protocol: scheme.toLowerCase(),
      scope: zone ? "ZONE" : "REGION",
      zoneId: zone?.id,
      isStaging: true,
    },
  });
  return { secondarystorage: storeReply(cloud.database, store) };
}

const listed = (table: string) => (request: Request) => {
  const { database } = request.cloud;
  const rows = selected(request, database.table(table), {
    ...{ provider: isIgnoringCase("provider"), protocol: is("protocol") },
    readonly: (row, wanted) => String(row.readonly === true) === wanted.toLowerCase(),
  });
  return listReply(
    request,
    "imagestore",
    rows.map((store) => storeReply(database, store)),
  );
};

export const imageStoreCommands: Commands = {
  listImageStores: { run: listed("imagestore") },
  listSecondaryStagingStores: { run: listed("stagingstore") },
  addImageStore: { run: (request) => ({ imagestore: storeReply(request.cloud.database, addImageStore(request)) }) },
  addSecondaryStorage: { run: (request) => ({ secondarystorage: storeReply(request.cloud.database, addImageStore(request, "NFS")) }) },
  updateImageStore: { run: updateImageStore },
  deleteImageStore: { run: deleteImageStore },
  createSecondaryStagingStore: { run: createStagingStore },
  deleteSecondaryStagingStore: {
    run(request) {
      const store = named(request, "stagingstore", "id", "staging store");
      request.cloud.database.remove("stagingstore", store);
      return { success: true };
    },
  },
};
