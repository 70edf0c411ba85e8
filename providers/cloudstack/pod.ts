import { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { address, allocation, type CloudServer, netmask, objectName, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";
import { first, hasCommand } from "./release.ts";

export interface PodInputs {
  server: CloudServer;
  zone: string;
  name: string;
  gateway: string;
  netmask: string;
  startIp: string;
  endIp: string;
  state: "Enabled" | "Disabled";
}

export interface PodOutputs {
  id: string;
}

interface Row {
  id: string;
  name: string;
  gateway: string;
  netmask: string;
  /** One text in old releases; beside each other for each range in newer ones. */
  startip: string | string[];
  endip: string | string[];
  allocationstate: string;
}

interface Range {
  startIp: string;
  endIp: string;
}

/** The wanted range where the pod has it, else its first one: a range made by hand beside it is no drift. */
function rangeOf(row: Row, wanted: Range): Range {
  const [starts, ends] = [[row.startip].flat(), [row.endip].flat()];
  const ranges = starts.map((startIp, index) => ({ startIp, endIp: ends[index] ?? first(row.endip) ?? "" }));
  return ranges.find((one) => one.startIp === wanted.startIp && one.endIp === wanted.endIp) ?? ranges[0] ?? { startIp: "", endIp: "" };
}

/** `updatePod` accepts a range and ignores it (cloudstack-observed facts 41). */
async function moveRange(cloud: Cloud, inputs: PodInputs, row: Row): Promise<void> {
  const { startIp, endIp } = rangeOf(row, inputs);
  const podid = row.id;
  if (await hasCommand(cloud.client, "updatePodManagementNetworkIpRange")) {
    await cloud.client.changeAndWait("updatePodManagementNetworkIpRange", {
      podid,
      currentstartip: startIp,
      currentendip: endIp,
      newstartip: inputs.startIp,
      newendip: inputs.endIp,
    });
    return;
  }
  const { gateway, netmask } = inputs;
  await cloud.client.changeAndWait("deleteManagementNetworkIpRange", { podid, startip: startIp, endip: endIp, vlan: "untagged" });
  await cloud.client.changeAndWait("createManagementNetworkIpRange", {
    ...{ podid, gateway, netmask, startip: inputs.startIp, endip: inputs.endIp },
  });
}

export const pod = defineCloudObject<PodInputs, PodOutputs, Row>({
  type: "cloudstack:Pod",
  summary: "A pod of a zone, with the range of addresses of its system VMs.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    name: objectName.describe("Its name."),
    gateway: address.describe("Gateway of its network."),
    netmask: netmask.describe("Netmask of its network; once addresses are in use it can only be extended."),
    startIp: address.describe("First address that the server may give to system VMs."),
    endIp: address.describe("Last address that the server may give to system VMs."),
    state: allocation.describe("Whether new VMs may be put there."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "name"],
  id: (inputs) => `pod/${inputs.zone}/${inputs.name}`,
  title: (inputs) => `pod ${inputs.name} of zone ${inputs.zone}`,
  async find(cloud, inputs) {
    const rows = await cloud.client.list<Row>("listPods", "pod", { zoneid: (await cloud.zone(inputs.zone)).id });
    return rows.find((one) => one.name === inputs.name);
  },
  async create(cloud, inputs) {
    const { name, gateway, netmask, startIp: startip, endIp: endip, state: allocationstate } = inputs;
    const zoneid = await cloud.ownedZone(inputs.zone);
    const place = { zoneid, name, gateway, netmask, startip, endip };
    return (await cloud.client.change("createPod", { ...place, allocationstate })).pod as Row;
  },
  shown: (row, inputs) => ({
    gateway: row.gateway,
    netmask: row.netmask,
    ...rangeOf(row, inputs),
    state: row.allocationstate as PodInputs["state"],
  }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row, differing) {
    const changed = {
      ...(differing.has("gateway") ? { gateway: inputs.gateway } : {}),
      ...(differing.has("netmask") ? { netmask: inputs.netmask } : {}),
      ...(differing.has("state") ? { allocationstate: inputs.state } : {}),
    };
    if (Object.keys(changed).length > 0) await cloud.client.set("updatePod", { id: row.id, ...changed });
    if (differing.has("startIp") || differing.has("endIp")) await moveRange(cloud, inputs, row);
  },
  async settle(cloud, inputs, row) {
    cloud.know("pod", `${inputs.zone}/${inputs.name}`, row);
    return row;
  },
  async destroy(cloud, state, row) {
    await cloud.client.change("deletePod", { id: row.id });
    cloud.forget("pod", `${state.zone}/${state.name}`);
  },
});
