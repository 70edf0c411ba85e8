import { accountCommands } from "./api/accounts.ts";
import { capacityCommands } from "./api/capacity.ts";
import { clusterCommands } from "./api/clusters.ts";
import { configurationCommands } from "./api/configuration.ts";
import { emptyCommands } from "./api/empty.ts";
import { hostCommands } from "./api/hosts.ts";
import { imageStoreCommands } from "./api/image-stores.ts";
import { infrastructureCommands } from "./api/infrastructure.ts";
import { jobCommands } from "./api/jobs.ts";
import { networkCommands } from "./api/networks.ts";
import { offeringCommands } from "./api/offerings.ts";
import { physicalNetworkCommands } from "./api/physical-networks.ts";
import { podRangeCommands } from "./api/pod-ranges.ts";
import { podCommands } from "./api/pods.ts";
import { providerCommands } from "./api/providers.ts";
import { removalCommands } from "./api/removal.ts";
import { routerCommands } from "./api/routers.ts";
import { serverCommands } from "./api/server.ts";
import { storagePoolCommands } from "./api/storage-pools.ts";
import { systemVmCommands } from "./api/system-vms.ts";
import { templateCommands } from "./api/templates.ts";
import { trafficTypeCommands } from "./api/traffic-types.ts";
import { userCommands } from "./api/users.ts";
import { virtualMachineCommands } from "./api/virtual-machines.ts";
import { vlanRangeCommands } from "./api/vlan-ranges.ts";
import { volumeCommands } from "./api/volumes.ts";
import { zoneCommands } from "./api/zones.ts";
import type { Commands } from "./command.ts";

/** Every command that the emulator serves; the catalogue knows more, and those are refused as not emulated. */
export const commands: Commands = {
  ...accountCommands,
  ...capacityCommands,
  ...clusterCommands,
  ...configurationCommands,
  ...emptyCommands,
  ...hostCommands,
  ...imageStoreCommands,
  ...infrastructureCommands,
  ...jobCommands,
  ...networkCommands,
  ...offeringCommands,
  ...physicalNetworkCommands,
  ...podCommands,
  ...podRangeCommands,
  ...providerCommands,
  ...removalCommands,
  ...routerCommands,
  ...serverCommands,
  ...storagePoolCommands,
  ...systemVmCommands,
  ...templateCommands,
  ...trafficTypeCommands,
  ...userCommands,
  ...virtualMachineCommands,
  ...vlanRangeCommands,
  ...volumeCommands,
  ...zoneCommands,
};
