export { CloudStackClient } from "./client.ts";
export { cluster } from "./cluster.ts";
export { globalSetting } from "./global-setting.ts";
export { guestNetwork } from "./guest-network.ts";
export { health } from "./health.ts";
export { host } from "./host.ts";
export { imageStore } from "./image-store.ts";
export type { CloudServer } from "./inputs.ts";
export {
  isRelease,
  type ManagementServerInputs,
  type ManagementServerOutputs,
  managementServer,
  usualPorts,
} from "./management-server.ts";
export { networkDevice } from "./network-device.ts";
export { networkServiceProvider } from "./network-service-provider.ts";
export { physicalNetwork } from "./physical-network.ts";
export { pod } from "./pod.ts";
export { restart } from "./restart.ts";
export { databaseGreeting } from "./service.ts";
export { stagingStore } from "./staging-store.ts";
export { storagePool } from "./storage-pool.ts";
export { trafficType } from "./traffic-type.ts";
export { vlanIpRange } from "./vlan-ip-range.ts";
export { vmwareDatacenter } from "./vmware-datacenter.ts";
export { zone } from "./zone.ts";
export { zoneEnablement } from "./zone-enablement.ts";
