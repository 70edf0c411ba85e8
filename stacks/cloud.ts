import * as pulumi from "@pulumi/pulumi";
import { type CloudServer, globalSetting, health, restart } from "../providers/cloudstack/index.ts";
import { type Arguments, TestbedResource, valueOnly } from "../providers/kernel/resource.ts";
import { fingerprint } from "./arguments.ts";
import type { CloudPlan } from "./cloud-plan.ts";
import type { CloudSite, RoleMachine } from "./cloud-site.ts";
import { type CloudZone, makeImageStore, makeZone } from "./cloud-zone.ts";
import { isSimulator } from "./marvin.ts";
import type { ExternalPlan } from "./plan.ts";

export interface CloudArguments {
  cloud: CloudPlan;
  /** The management server, as every object of the cloud is told of it. */
  server: Arguments<CloudServer>;
  /** What makes it answer; nothing where it runs already. */
  needs?: readonly pulumi.Resource[];
  /** How its machine is reached, where it may be restarted. */
  machine?: object;
  /** Limit of its start. */
  startSeconds?: number;
  /** The machine: with it the whole cloud is gone, and no call of its API is needed. */
  deletedWith?: pulumi.Resource;
  /** Machines of the marvin file's hosts, by name. */
  machines?: ReadonlyMap<string, RoleMachine>;
  /** What prepares a store. */
  store?: (url: string) => pulumi.Resource[];
  /** Take over zones of the same names that carry nobody's mark. */
  adopt: boolean;
  /** Whether a removal may destroy users' VMs. */
  destroyGuests: boolean;
}

/** What became of a zone. */
export interface ZoneSummary {
  name: string;
  id: string;
  /** Ids of its hosts and pools: what must be healthy. */
  hosts: string[];
  pools: string[];
}

/** The cloud of a marvin configuration: settings, zones with all that is in them, and last the gate that proves it healthy. */
export class MarvinCloud extends pulumi.ComponentResource {
  readonly zones: pulumi.Output<ZoneSummary[]>;
  /** What the gate saw; undefined where no zone is switched on. */
  readonly health: pulumi.Output<string> | undefined;

  constructor(name: string, args: CloudArguments, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:MarvinCloud", name, {}, options);
    const { cloud } = args;
    const site = this.#site(args);
    const loaded = this.#settings(site, args);
    const zones = cloud.zones.map((zone) => makeZone(site, zone, [...(args.needs ?? []), ...loaded]));
    const region = this.#regionStores(site, cloud, zones);
    this.zones = pulumi.all(zones.map(summary));
    this.health = this.#health(site, name, cloud, zones, region);
    this.registerOutputs({});
  }

  #site({ server, adopt, destroyGuests, machines, store, deletedWith }: CloudArguments): CloudSite {
    return {
      ...{ server, parent: this, adopt, destroyGuests },
      options: (parent, needs = []) => ({ parent, dependsOn: [...needs], ...(deletedWith ? { deletedWith } : {}) }),
      machine: (name, hypervisor) => (isSimulator(hypervisor) ? undefined : machines?.get(name)),
      store: (url) => store?.(url) ?? [],
    };
  }

  /** Global settings, and one restart after all of them where one needs it. */
  #settings(site: CloudSite, { cloud: { settings }, needs = [], machine, server, startSeconds }: CloudArguments): pulumi.Resource[] {
    const known = machine ? { machine } : {};
    const made = Object.entries(settings).map(
      ([name, value]) => new TestbedResource(globalSetting, name, { server, name, value, ...known }, site.options(this, needs)),
    );
    if (made.length === 0) return [];
    const after = pulumi
      .all(made.map((one) => one.output("changedDuring")))
      .apply((starts) => [...new Set(starts)].filter((one) => one !== "").sort());
    const args = { server, settings, after, ...known, ...(startSeconds === undefined ? {} : { startSeconds }) };
    return [new TestbedResource(restart, "settings", args, site.options(this, made))];
  }

  #regionStores(site: CloudSite, { imageStores }: CloudPlan, zones: readonly CloudZone[]): pulumi.Resource[] {
    const [first] = zones;
    if (!first) return [];
    return imageStores.map((one) =>
      makeImageStore(
        site,
        first.planned.name,
        this,
        one,
        zones.map((zone) => zone.enabled),
      ),
    );
  }

  #health(site: CloudSite, name: string, cloud: CloudPlan, zones: readonly CloudZone[], region: readonly pulumi.Resource[]) {
    const live = zones.filter((zone) => zone.planned.enabled);
    if (live.length === 0) return undefined;
    const expected = live.map(({ planned, hostIds, poolIds }) => ({
      name: planned.name,
      hosts: valueOnly(pulumi.all(hostIds)),
      pools: valueOnly(pulumi.all(poolIds)),
    }));
    const needs = [...zones.map((zone) => zone.enabled), ...region];
    const args = { server: site.server, zones: expected, plan: fingerprint(cloud) };
    return pulumi.recover(new TestbedResource(health, name, args, site.options(this, needs)).output("summary"), () => "red");
  }
}

/** A zone of which something failed is an output like the others, so that the program ends without a trace below that one's own error. */
function summary({ planned: { name }, id, hostIds, poolIds }: CloudZone): pulumi.Output<ZoneSummary> {
  const known = pulumi
    .all([id, pulumi.all(hostIds), pulumi.all(poolIds)])
    .apply(([zone, hosts, pools]) => ({ name, id: zone, hosts, pools }));
  return pulumi.recover(known, () => ({ name, id: "", hosts: [], pools: [] }));
}

/** The cloud on a management server that runs already. */
export function externalCloud({ site, managementServer, cloud, cloudLicence }: ExternalPlan): MarvinCloud {
  const { address, ports, credential } = managementServer;
  return new MarvinCloud(site, { cloud, server: { address, ports, credential }, ...cloudLicence });
}

/** Where the API of a management server is. */
export function apiAddress(server: { address: string; ports?: { api: number } } | undefined): string | undefined {
  return server && `http://${server.address}:${server.ports?.api ?? 8080}/client/api`;
}
