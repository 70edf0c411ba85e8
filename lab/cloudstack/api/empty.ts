import { type Command, type Commands, listReply } from "../command.ts";

const empty: Command = { run: (request) => listReply(request, "", []) };
const emptyForUsers: Command = { ...empty, forUsers: true };

/** What a cloud without a zone has none of. */
export const emptyCommands: Commands = {
  ...Object.fromEntries(
    [
      ...["listZonesMetrics", "listPods", "listClusters", "listHosts", "listHostsMetrics", "listStoragePools", "listImageStores"],
      ...["listPhysicalNetworks", "listVlanIpRanges", "listSystemVms", "listRouters", "listSecondaryStagingStores", "listDedicatedZones"],
    ].map((name) => [name, empty]),
  ),
  ...Object.fromEntries(
    ["listZones", "listVirtualMachines", "listNetworks", "listVolumes", "listPublicIpAddresses"].map((name) => [name, emptyForUsers]),
  ),
};
