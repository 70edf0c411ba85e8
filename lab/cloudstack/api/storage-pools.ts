import { createHash } from "node:crypto";
import { type Commands, listReply, type Request } from "../command.ts";
import { type Database, type Row, timeText } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue, unexpected } from "../errors.ts";
import { childrenOf, inJob, is, isSet, named, namedDetails, place, removable, selected, shownPool } from "../objects.ts";
import { VOLUME_SHARE } from "./capacity.ts";
import { hypervisorName } from "./clusters.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.storage.";
const TIB = 2 ** 40;
/** Until the server has asked the first time what is in a pool; the simulator then says this of every one. */
const MEASURE_SECONDS = 30;
const IOPS = 1_000_000;

export function poolReply(database: Database, pool: Row, inList = true): Reply {
  const tags = pool.tags as string | undefined;
  return {
    id: pool.id,
    ...place(database, pool, "zone", "pod"),
    name: pool.name,
    ipaddress: pool.ipAddress,
    path: pool.path,
    created: pool.created,
    type: pool.type,
    ...place(database, pool, "cluster"),
    disksizetotal: pool.capacity,
    disksizeallocated: checkedVolumes(database, pool) * VOLUME_SHARE,
    disksizeused: 0,
    ...(pool.iops ? { capacityiops: pool.iops } : {}),
    ...(pool.measured ? { usediops: IOPS / 2 } : {}),
    ...(tags ? { tags } : {}),
    istagarule: false,
    state: pool.state,
    scope: pool.scope,
    overprovisionfactor: Number((pool.settings as Reply | undefined)?.["storage.overprovisioning.factor"] ?? 2).toFixed(1),
    hypervisor: pool.hypervisor,
    provider: pool.provider,
    ...(inList ? { storagecapabilities: { VOLUME_SNAPSHOT_QUIESCEVM: "false" } } : {}),
    managed: false,
    hasannotations: false,
  };
}

/** What the capacity checker has counted. */
function checkedVolumes(database: Database, pool: Row): number {
  return database.find(pool.zoneId)?.capacityChecked ? childrenOf(database, "volume", "poolId", pool).length : 0;
}

/** Java's UUID.nameUUIDFromBytes: a pool is known by where it is (cloudstack-observed facts 26). */
function poolId(text: string): string {
  const hash = createHash("md5").update(text).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x30;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const refusedStore = (text: string) => unexpected(`Failed to add data store: ${text}`);

const poolTypes: Record<string, string> = {
  ...{ nfs: "NetworkFilesystem", iscsi: "IscsiLUN", rbd: "RBD", presetup: "PreSetup", sharedmountpoint: "SharedMountPoint" },
  ...{ clvm: "CLVM", vmfs: "VMFS", ocfs2: "OCFS2", cifs: "SMB", gluster: "Gluster" },
};

/** `nfs://host:/path` has an empty port, and is valid. */
function parsed(url: string): { type: string; ipAddress: string; path: string } {
  const [, scheme, ipAddress = "", path = ""] = /^([a-z0-9]+):\/\/([^/:]*)(?::\d*)?(\/.*)?$/i.exec(url) ?? [];
  if (!scheme) throw refusedStore('Cannot invoke "Object.toString()" because the return value of "java.util.Map.get(Object)" is null');
  const type = poolTypes[scheme.toLowerCase()];
  if (!type) throw refusedStore(`No enum constant com.cloud.storage.Storage.StoragePoolType.${scheme}`);
  if (type === "NetworkFilesystem" && (ipAddress === "" || path === ""))
    throw unexpected("host or path is null, should be nfs://hostname/path");
  return { type, ipAddress, path: path.replace(/(.)\/+$/, "$1") };
}

/** Where a pool is to be; the server's refusals come in this order. */
function scopeOf(request: Request, zone: Row): { scope: string; fields: Record<string, unknown> } {
  const { parameters, cloud } = request;
  const scope = (parameters.scope ?? (parameters.clusterid ? "CLUSTER" : parameters.podid ? "CLUSTER" : "ZONE")).toUpperCase();
  if (!["CLUSTER", "ZONE", "HOST"].includes(scope)) throw unexpected(`invalid scope for pool ${parameters.scope}`);
  if (scope === "CLUSTER") {
    if (!parameters.clusterid) throw unexpected("cluster id can't be null, if scope is cluster");
    if (!parameters.podid) throw unexpected("pod id can't be null, if scope is cluster");
    const cluster = named(request, "cluster", "clusterid");
    const fields = { zoneId: zone.id, podId: cluster.podId, clusterId: cluster.id, hypervisor: cluster.hypervisor };
    const isUp = childrenOf(cloud.database, "host", "clusterId", cluster).some((host) => host.state === "Up");
    if (!isUp) throw refusedStore(`No host up to associate a storage pool with in cluster ${cluster.databaseId}`);
    return { scope, fields };
  }
  if (!parameters.hypervisor)
    throw unexpected("Missing parameter hypervisor. Hypervisor type is required to create zone wide primary storage.");
  return { scope, fields: { zoneId: zone.id, hypervisor: hypervisorName(parameters.hypervisor) } };
}

function createStoragePool(request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const zone = named(request, "zone", "zoneid");
  const { scope, fields } = scopeOf(request, zone);
  const { type, ipAddress, path } = parsed(parameters.url ?? "");
  const id = poolId(`${ipAddress}${path}`);
  const other = database.table("storagepool").find((one) => one.id === id);
  if (other)
    throw refusedStore(`Storage pool ${path} already in use by another pod (id=${database.find(other.podId)?.databaseId ?? "null"})`);
  const pool = database.insert("storagepool", {
    ...{ id, name: parameters.name, type, ipAddress, path, scope, ...fields, created: timeText(), state: "Up", provider: "DefaultPrimary" },
    ...{ capacity: Number(parameters.capacitybytes ?? TIB), tags: parameters.tags, details: namedDetails(parameters) },
  });
  cloud.after(MEASURE_SECONDS, () => database.update(pool, { measured: true, iops: pool.iops ?? IOPS }));
  return { storagepool: poolReply(database, pool, false) };
}

function updateStoragePool(request: Request): Reply {
  const { database } = request.cloud;
  const pool = named(request, "storagepool", "id", "storage pool");
  const { name, tags, enabled, capacitybytes, capacityiops } = request.parameters;
  if (enabled !== undefined) {
    const [from, to, verb] = isSet(enabled) ? ["Disabled", "Up", "enabled"] : ["Up", "Disabled", "disabled"];
    if (pool.state !== from) throw invalidValue(`Primary storage ${shownPool(pool)} cannot be ${verb}. Storage pool state : ${pool.state}`);
    database.update(pool, { state: to });
  }
  database.update(pool, {
    ...(name ? { name } : {}),
    ...(tags === undefined ? {} : { tags }),
    ...(capacityiops ? { iops: Number(capacityiops) } : {}),
  });
  const shown = poolReply(database, pool, false);
  // What was asked for is in the answer; the next look into the pool puts its size back.
  return { storagepool: { ...shown, ...(capacitybytes ? { disksizetotal: Number(capacitybytes) } : {}) } };
}

function deleteStoragePool(request: Request): Reply {
  const { database } = request.cloud;
  const pool = removable(request, "storagepool", (number) => invalidValue(`Unable to find pool id ${number}`));
  if (pool.state !== "Maintenance")
    throw invalidValue(`Unable to delete storage due to it is not in Maintenance state, pool: ${shownPool(pool)}`);
  const volumes = childrenOf(database, "volume", "poolId", pool).filter((one) => one.state !== "Expunged");
  if (volumes.length > 0 && !(isSet(request.parameters.forced) && volumes.every((one) => one.state === "Destroy")))
    throw failed(`Cannot delete pool ${shownPool(pool)} as there are associated non-destroyed vols for this pool`);
  // Its uuid is gone with it (cloudstack-observed facts, add-one#72).
  database.forget("storagepool", pool);
  return { success: true };
}

function enableMaintenance(request: Request): Reply {
  const { database } = request.cloud;
  const pool = named(request, "storagepool", "id", "storage pool");
  if (pool.state !== "Up" && pool.state !== "ErrorInMaintenance" && pool.state !== "Disabled")
    throw invalidValue(`Primary storage ${shownPool(pool)} is not ready for migration, as the status is:${pool.state}`);
  database.update(pool, { state: "Maintenance" });
  return { storagepool: inJob(request, poolReply(database, pool, false)) };
}

function cancelMaintenance(request: Request): Reply {
  const { database } = request.cloud;
  const pool = named(request, "storagepool", "id", "storage pool");
  if (pool.state !== "Maintenance" && pool.state !== "ErrorInMaintenance")
    throw failed(
      `Resource [StoragePool:${pool.databaseId}] is unreachable: Primary storage ${shownPool(pool)} is not ready to complete migration, ` +
        `as the status is:${pool.state}`,
    );
  database.update(pool, { state: "Up" });
  return { storagepool: inJob(request, poolReply(database, pool, false)) };
}

export const storagePoolCommands: Commands = {
  listStoragePools: {
    run(request) {
      const { database } = request.cloud;
      const { scope } = request.parameters;
      if (scope && !["ZONE", "CLUSTER", "HOST", "REGION", "GLOBAL"].includes(scope.toUpperCase()))
        throw invalidValue(`Invalid scope type: ${scope}`);
      const rows = selected(request, database.table("storagepool"), {
        ...{ clusterid: is("clusterId"), ipaddress: is("ipAddress"), path: is("path") },
        scope: (row, wanted) => row.scope === wanted.toUpperCase(),
        status: (row, wanted) => String(row.state).toLowerCase() === wanted.toLowerCase(),
      });
      return listReply(
        request,
        "storagepool",
        rows.map((pool) => poolReply(database, pool)),
      );
    },
  },
  createStoragePool: { run: createStoragePool },
  updateStoragePool: { run: updateStoragePool },
  deleteStoragePool: { run: deleteStoragePool },
  enableStorageMaintenance: {
    job: { class: `${CLASSES}PreparePrimaryStorageForMaintenanceCmd`, instanceType: "StoragePool" },
    run: enableMaintenance,
  },
  cancelStorageMaintenance: {
    job: { class: `${CLASSES}CancelPrimaryStorageMaintenanceCmd`, instanceType: "StoragePool" },
    run: cancelMaintenance,
  },
};
