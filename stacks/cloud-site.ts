import type * as pulumi from "@pulumi/pulumi";
import type { CloudServer } from "../providers/cloudstack/index.ts";
import type { Arguments } from "../providers/kernel/resource.ts";

/** A machine that is installed and has its role. */
export interface RoleMachine {
  needs: pulumi.Resource[];
  address: string;
  /** Fingerprint of its install token: another installation is another host. */
  token: pulumi.Output<string>;
}

/** What all objects of a cloud are told alike, and where they find what was made outside of it. */
export interface CloudSite {
  server: Arguments<CloudServer>;
  /** The component. */
  parent: pulumi.Resource;
  adopt: boolean;
  destroyGuests: boolean;
  /** Below a parent, after what it needs; gone with the management server where that is ours. */
  options(parent: pulumi.Resource, needs?: readonly pulumi.Resource[]): pulumi.CustomResourceOptions;
  /** The machine of a host; undefined for one that is not installed by us. */
  machine(name: string, hypervisor: string): RoleMachine | undefined;
  /** What empties or seeds a store before the server may have it. */
  store(url: string): pulumi.Resource[];
}
