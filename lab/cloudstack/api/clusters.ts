import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { type ApiFault, failed, invalidValue, malformed, unexpected } from "../errors.ts";
import { childrenOf, is, isIgnoringCase, isSet, named, place, removable, selected, shownZone } from "../objects.ts";
import { capacityOf } from "./capacity.ts";
import { allocationState } from "./zones.ts";

/** Spelled as replies spell them; a name that is none of them is `None` (cloudstack-observed facts 33). */
const hypervisors = ["XenServer", "KVM", "VMware", "Hyperv", "BareMetal", "Simulator", "Ovm", "Ovm3", "LXC", "Any"];

export function hypervisorName(text: string | undefined): string {
  return hypervisors.find((one) => one.toLowerCase() === text?.toLowerCase()) ?? "None";
}

export function clusterReply(database: Database, cluster: Row, withCapacity = false): Reply {
  const own = (cluster.settings ?? {}) as Record<string, string>;
  const ratios = {
    memoryOvercommitRatio: own["mem.overprovisioning.factor"] ?? "1.0",
    cpuOvercommitRatio: own["cpu.overprovisioning.factor"] ?? "1.0",
  };
  return {
    id: cluster.id,
    name: cluster.name,
    ...place(database, cluster, "pod", "zone"),
    hypervisortype: cluster.hypervisor,
    clustertype: cluster.type,
    allocationstate: cluster.allocationState,
    managedstate: cluster.managedState,
    ...(withCapacity ? { capacity: capacityOf(database, { cluster }) } : {}),
    cpuovercommitratio: ratios.cpuOvercommitRatio,
    memoryovercommitratio: ratios.memoryOvercommitRatio,
    resourcedetails: ratios,
    arch: cluster.arch,
    hasannotations: false,
  };
}

/** Objects that an error names beside its text. */
export function inPodAndZone(fault: ApiFault, pod: Row, zone: Row): ApiFault {
  fault.objects = [
    { uuid: pod.id, description: "podId" },
    { uuid: zone.id, description: "dcId" },
  ];
  return fault;
}

export function insertCluster(database: Database, pod: Row, fields: Record<string, unknown>): Row {
  const usual = { zoneId: pod.zoneId, podId: pod.id, allocationState: "Enabled", managedState: "Managed", arch: "x86_64" };
  return database.insert("cluster", { ...usual, ...fields });
}

function addCluster(request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const zone = named(request, "zone", "zoneid");
  const pod = named(request, "pod", "podid");
  const { clustername, clustertype = "" } = parameters;
  if (pod.zoneId !== zone.id)
    throw inPodAndZone(invalidValue(`Pod with specified id doesn't belong to the zone ${shownZone(zone)}`), pod, zone);
  if (clustertype !== "CloudManaged" && clustertype !== "ExternalManaged")
    throw malformed(`No enum constant com.cloud.org.Cluster.ClusterType.${clustertype}`);
  const state = allocationState(parameters.allocationstate) ?? "Enabled";
  const hypervisor = hypervisorName(parameters.hypervisor);
  if (childrenOf(database, "cluster", "podId", pod).some((one) => one.name === clustername))
    throw inPodAndZone(failed(`Unable to create cluster ${clustername} in pod and data center with specified ids`), pod, zone);
  const { arch } = parameters;
  const cluster = insertCluster(database, pod, {
    name: clustername,
    hypervisor,
    type: clustertype,
    allocationState: state,
    ...(arch ? { arch } : {}),
  });
  return { count: 1, cluster: [clusterReply(database, cluster)] };
}

/** Seconds that a change of the managed state takes, and until hosts of a cluster that is managed again are Up (cloudstack-observed facts 40). */
const UNMANAGE_SECONDS = 5;
const MANAGE_SECONDS = 30;

async function updateCluster(request: Request): Promise<Reply> {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const cluster = named(request, "cluster");
  const { clustername, managedstate, hypervisor, clustertype, arch } = parameters;
  const state = allocationState(parameters.allocationstate);
  if (managedstate !== undefined && managedstate !== "Managed" && managedstate !== "Unmanaged")
    throw invalidValue(`Unable to resolve Managed State '${managedstate}' to a supported state`);
  const same = database.table("cluster").find((one) => one.podId === cluster.podId && one.name === clustername && one !== cluster);
  if (same) throw unexpected("Entity already exists ");
  const before = clusterReply(database, cluster);
  database.update(cluster, {
    ...(clustername ? { name: clustername } : {}),
    ...(state ? { allocationState: state } : {}),
    ...(hypervisor ? { hypervisor: hypervisorName(hypervisor) } : {}),
    ...(clustertype ? { type: clustertype } : {}),
    ...(arch ? { arch } : {}),
  });
  if (managedstate) await manage(request, cluster, managedstate);
  // The state before the change (cloudstack-observed facts 40).
  return { cluster: before };
}

async function manage({ cloud }: Request, cluster: Row, managedState: string): Promise<void> {
  const { database } = cloud;
  if (cluster.managedState === managedState) return;
  database.update(cluster, { managedState });
  const hosts = childrenOf(database, "host", "clusterId", cluster);
  if (managedState === "Unmanaged") {
    for (const host of hosts) database.update(host, { state: "Disconnected" });
    await cloud.pause(UNMANAGE_SECONDS);
  } else
    cloud.after(MANAGE_SECONDS, () => {
      for (const host of hosts) if (host.state === "Disconnected") database.update(host, { state: "Up" });
    });
}

function deleteCluster(request: Request): Reply {
  const { database } = request.cloud;
  const cluster = removable(request, "cluster", (number) => failed(`Cluster: ${number} does not exist`));
  if (childrenOf(database, "host", "clusterId", cluster).length > 0)
    throw failed(`Cluster: ${cluster.databaseId} cannot be removed. Cluster still has hosts`);
  if (childrenOf(database, "storagepool", "clusterId", cluster).length > 0) {
    const shown = `Cluster {id: "${cluster.databaseId}", name: "${cluster.name}", uuid: "${cluster.id}"}`;
    throw failed(`Cluster: ${shown} cannot be removed. Cluster still has storage pools`);
  }
  database.remove("cluster", cluster);
  return { success: true };
}

export const clusterCommands: Commands = {
  listClusters: {
    run(request) {
      const { database } = request.cloud;
      const rows = selected(request, database.table("cluster"), {
        ...{ hypervisor: isIgnoringCase("hypervisor"), clustertype: is("type"), allocationstate: is("allocationState") },
        managedstate: is("managedState"),
      });
      const withCapacity = isSet(request.parameters.showcapacities);
      return listReply(
        request,
        "cluster",
        rows.map((cluster) => clusterReply(database, cluster, withCapacity)),
      );
    },
  },
  addCluster: { run: addCluster },
  updateCluster: { run: updateCluster },
  deleteCluster: { run: deleteCluster },
};
