import type { Command, Commands } from "../command.ts";

const empty: Command = { run: () => ({}) };
const emptyForUsers: Command = { forUsers: true, run: () => ({}) };

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
