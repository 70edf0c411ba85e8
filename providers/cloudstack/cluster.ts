import { z } from "zod";
import { removeFailedHosts } from "./host-rows.ts";
import { allocation, type CloudServer, objectName, podName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface ClusterInputs {
  server: CloudServer;
  zone: string;
  pod: string;
  name: string;
  hypervisor: string;
  type: "CloudManaged" | "ExternalManaged";
  url?: string | undefined;
  credential?: string | undefined;
  state: "Enabled" | "Disabled";
  managed: boolean;
}

export interface ClusterOutputs {
  id: string;
}

interface Row {
  id: string;
  name: string;
  hypervisortype: string;
  clustertype: string;
  allocationstate: string;
  managedstate: string;
}

export const cluster = defineCloudObject<ClusterInputs, ClusterOutputs, Row>({
  type: "cloudstack:Cluster",
  summary: "A cluster of hosts of one hypervisor in a pod.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    pod: podName,
    name: objectName.describe("Its name."),
    hypervisor: z
      .string()
      .min(1)
      .describe(
        "`KVM`, `XenServer`, `VMware`, `Hyperv`, `BareMetal`, `Simulator` ..., letter case ignored. Its hosts would not survive a change.",
      ),
    type: z
      .enum(["CloudManaged", "ExternalManaged"])
      .default("CloudManaged")
      .describe("Who manages its hosts; `ExternalManaged` for VMware."),
    url: z.string().min(1).optional().describe("Its address in vCenter, `http://vcenter/datacenter/cluster`; VMware only."),
    credential: z.string().min(1).optional().describe("Name of the credential (`user`, `password`) for vCenter; VMware only."),
    state: allocation.describe("Whether new VMs may be put there."),
    managed: z.boolean().default(true).describe("Whether the server is connected to its hosts."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "pod", "name", "hypervisor", "url"],
  id: (inputs) => `cluster/${inputs.zone}/${inputs.pod}/${inputs.name}`,
  title: (inputs) => `cluster ${inputs.name} of pod ${inputs.pod}`,
  async find(cloud, inputs) {
    const podid = (await cloud.pod(inputs.zone, inputs.pod)).id;
    const rows = await cloud.client.list<Row>("listClusters", "cluster", { podid });
    return rows.find((one) => one.name === inputs.name);
  },
  async create(cloud, inputs) {
    const { user, password } = inputs.credential ? cloud.context.credential(inputs.credential) : {};
    const reply = await cloud.client.change("addCluster", {
      zoneid: await cloud.ownedZone(inputs.zone),
      podid: (await cloud.pod(inputs.zone, inputs.pod)).id,
      clustername: inputs.name,
      clustertype: inputs.type,
      hypervisor: inputs.hypervisor,
      ...(inputs.url ? { url: inputs.url } : {}),
      ...(user ? { username: user } : {}),
      ...(password ? { password } : {}),
    });
    // A list, though it is one.
    return (reply.cluster as Row[])[0];
  },
  shown: (row, inputs) => ({
    hypervisor: row.hypervisortype.toLowerCase() === inputs.hypervisor.toLowerCase() ? inputs.hypervisor : row.hypervisortype,
    type: row.clustertype as ClusterInputs["type"],
    state: row.allocationstate as ClusterInputs["state"],
    managed: !/^(PrepareUnmanaged|Unmanaged)/.test(row.managedstate),
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    const changed = {
      ...(differing.has("hypervisor") ? { hypervisor: inputs.hypervisor } : {}),
      ...(differing.has("type") ? { clustertype: inputs.type } : {}),
      ...(differing.has("state") ? { allocationstate: inputs.state } : {}),
      ...(differing.has("managed") ? { managedstate: inputs.managed ? "Managed" : "Unmanaged" } : {}),
    };
    await cloud.client.set("updateCluster", { id: row.id, ...changed });
  },
  async settle(cloud, inputs, row) {
    cloud.know("cluster", `${inputs.zone}/${inputs.pod}/${inputs.name}`, row);
    return row;
  },
  async destroy(cloud, state, row) {
    await removeFailedHosts(cloud, row.id);
    await cloud.client.change("deleteCluster", { id: row.id });
    cloud.forget("cluster", `${state.zone}/${state.pod}/${state.name}`);
  },
});
