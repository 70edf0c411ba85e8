import { z } from "zod";
import { type CloudServer, objectName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";
import { hasCommand, requireCommand } from "./release.ts";

export interface VmwareDatacenterInputs {
  server: CloudServer;
  zone: string;
  name: string;
  vcenter: string;
  credential: string;
}

export interface VmwareDatacenterOutputs {
  id: string;
}

interface Row {
  id: string;
  name: string;
  vcenter: string;
}

export const vmwareDatacenter = defineCloudObject<VmwareDatacenterInputs, VmwareDatacenterOutputs, Row>({
  type: "cloudstack:VmwareDatacenter",
  summary: "The vCenter datacenter that the VMware clusters of a zone are in; one per zone.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    name: objectName.describe("Name of the datacenter in vCenter."),
    vcenter: z.string().min(1).describe("Name or address of vCenter."),
    credential: z.string().default("vcenter").describe("Name of the credential (`user`, `password`) in the stack configuration."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "name"],
  id: (inputs) => `vmware-datacenter/${inputs.zone}/${inputs.name}`,
  title: (inputs) => `VMware datacenter ${inputs.name} of zone ${inputs.zone}`,
  async find(cloud, inputs) {
    const zoneid = (await cloud.zone(inputs.zone)).id;
    if (!(await hasCommand(cloud.client, "listVmwareDcs"))) return undefined;
    const rows = await cloud.client.list<Row>("listVmwareDcs", "VMwareDC", { zoneid });
    return rows.find((one) => one.name === inputs.name);
  },
  async create(cloud, inputs) {
    await requireCommand(cloud.client, "addVmwareDc", `VMware datacenter ${inputs.name}`);
    const { user = "", password = "" } = cloud.context.credential(inputs.credential);
    const zoneid = await cloud.ownedZone(inputs.zone);
    const place = { zoneid, name: inputs.name, vcenter: inputs.vcenter };
    await cloud.client.change("addVmwareDc", { ...place, username: user, password }, 300);
    return undefined;
  },
  shown: (row) => ({ vcenter: row.vcenter }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs) {
    await requireCommand(cloud.client, "updateVmwareDc", `another vCenter of zone ${inputs.zone}`);
    const zoneid = await cloud.ownedZone(inputs.zone);
    await cloud.client.set("updateVmwareDc", { zoneid, vcenter: inputs.vcenter });
  },
  async destroy(cloud, state) {
    await cloud.client.change("removeVmwareDc", { zoneid: await cloud.ownedZone(state.zone) });
  },
});
