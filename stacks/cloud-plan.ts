/** What a marvin configuration makes of a cloud, as plain data. `name` is unique among objects of a kind, and stable: marvin's names, outermost first. */
export interface CloudPlan {
  /** Global settings by name. */
  settings: Record<string, string>;
  zones: PlannedZone[];
  /** Stores of the whole region. */
  imageStores: PlannedImageStore[];
}

/** An account somewhere: secrets stand in no plan, only the credential of the stack's configuration that holds them. */
export interface PlannedLogin {
  /** Absent: that of the credential. */
  user?: string;
  credential: string;
}

export interface PlannedZone {
  name: string;
  networkType: "Basic" | "Advanced";
  securityGroups: boolean;
  localStorage: boolean;
  dns: string[];
  internalDns: string[];
  domain?: string;
  guestCidr?: string;
  details: Record<string, string>;
  enabled: boolean;
  physicalNetworks: PlannedPhysicalNetwork[];
  /** The shared network of all guests; only in zones with security groups. */
  guestNetwork?: PlannedGuestNetwork;
  publicRanges: PlannedRange[];
  pods: PlannedPod[];
  /** Pools of the whole zone. */
  pools: PlannedPool[];
  stagingStores: PlannedImageStore[];
  imageStores: PlannedImageStore[];
}

export interface PlannedPhysicalNetwork {
  name: string;
  /** As the server knows it. */
  called: string;
  isolationMethod?: string;
  /** The server wants one as soon as two networks of a zone carry guests, and takes one at most. */
  tag?: string;
  vlans?: string;
  trafficTypes: PlannedTrafficType[];
  providers: PlannedProvider[];
}

export interface PlannedTrafficType {
  name: string;
  type: string;
  /** Label by hypervisor: kvm, xen, vmware, hyperv, ovm3. */
  labels: Record<string, string>;
}

export interface PlannedProvider {
  name: string;
  called: string;
  devices: PlannedDevice[];
}

export interface PlannedDevice extends PlannedLogin {
  name: string;
  hostname: string;
  type?: string;
  /** What its address carries: interfaces, retries, capacity. */
  parameters: Record<string, string>;
}

export interface PlannedRange {
  name: string;
  start: string;
  end: string;
  gateway: string;
  netmask: string;
  /** Absent: untagged. */
  vlan?: string;
  account?: string;
  domainId?: string;
}

export interface PlannedGuestNetwork {
  name: string;
  called: string;
  offering: string;
  /** Absent in Basic zones, where the pods have their own. */
  range?: PlannedRange;
}

export interface PlannedPod {
  name: string;
  called: string;
  gateway: string;
  netmask: string;
  start: string;
  end: string;
  guestRanges: PlannedRange[];
  vmwareDatacenter?: PlannedLogin & { name: string; called: string; vcenter: string };
  clusters: PlannedCluster[];
}

export interface PlannedCluster {
  name: string;
  called: string;
  hypervisor: string;
  type: string;
  /** Of a VMware cluster. */
  vmware?: PlannedLogin & { url: string };
  hosts: PlannedHost[];
  pools: PlannedPool[];
}

export interface PlannedHost extends PlannedLogin {
  name: string;
  url: string;
  /** The machine of the inventory, or what the address names. */
  machine: string;
  tags: string[];
  bareMetal?: { mac: string; cpus: number; cpuMHz: number; memoryMiB: number };
}

export interface PlannedPool {
  name: string;
  called: string;
  url: string;
  tags: string[];
  details: Record<string, string>;
  /** Of a pool of the whole zone. */
  hypervisor?: string;
}

export interface PlannedImageStore {
  name: string;
  /** Absent: the server calls it by its address. */
  called?: string;
  provider: string;
  url?: string;
  /** Without its secrets. */
  details: Record<string, string>;
  /** Holds its secrets, by the names of the details that they are; absent where there are none. */
  credential?: string;
}
