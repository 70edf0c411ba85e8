import type * as pulumi from "@pulumi/pulumi";
import {
  guestNetwork,
  imageStore,
  networkDevice,
  networkServiceProvider,
  physicalNetwork,
  stagingStore,
  trafficType,
  vlanIpRange,
  zone as zoneDefinition,
  zoneEnablement,
} from "../providers/cloudstack/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import type { PlannedImageStore, PlannedPhysicalNetwork, PlannedRange, PlannedZone } from "./cloud-plan.ts";
import { type CloudPod, makePods } from "./cloud-pods.ts";
import type { CloudSite } from "./cloud-site.ts";

/** What is known of a zone that was made. */
export interface CloudZone {
  planned: PlannedZone;
  id: pulumi.Output<string>;
  /** Its last step: the zone is complete, and switched on where it is to be. */
  enabled: pulumi.Resource;
  hostIds: pulumi.Output<string>[];
  poolIds: pulumi.Output<string>[];
}

/**
 * A zone and all that is in it. Each object waits for what the server wants first, and is so removed before it: system VMs go with the
 * enablement, then pools before their hosts, hosts before clusters, ranges before pods, pods before the network of their guests.
 */
export function makeZone(site: CloudSite, planned: PlannedZone, needs: readonly pulumi.Resource[]): CloudZone {
  const { server } = site;
  const zone = makeZoneItself(site, planned, needs);
  const networks = planned.physicalNetworks.map((one) => makeNetwork(site, planned, zone, one));
  const traffic = networks.flatMap((one) => one.traffic);
  const guests = makeGuestNetwork(
    site,
    planned,
    zone,
    networks.flatMap((one) => [...one.traffic, ...one.providers]),
  );
  const pods = makePods(site, planned, { zone, traffic, guests });
  const clusters = pods.clusters.map((one) => one.resource);
  const publicRanges = planned.publicRanges.map(
    (one) =>
      new TestbedResource(
        vlanIpRange,
        one.name,
        { server, zone: planned.name, use: "public" as const, ...rangeArguments(one) },
        site.options(zone, traffic),
      ),
  );
  const staging = planned.stagingStores.map((one) => makeStagingStore(site, planned.name, zone, one));
  // The server seeds the first store of a zone for the hypervisors of its clusters, so they come first.
  const images = planned.imageStores.map((one) => makeImageStore(site, planned.name, zone, one, [...clusters, ...staging]));
  const complete = [...networks.flatMap((one) => one.providers), ...pods.all, ...publicRanges, ...staging, ...images];
  const enabled = new TestbedResource(
    zoneEnablement,
    planned.name,
    {
      server,
      zone: planned.name,
      state: planned.enabled ? ("Enabled" as const) : ("Disabled" as const),
      destroyGuests: site.destroyGuests,
    },
    site.options(zone, complete),
  );
  return { planned, id: zone.output("id"), enabled, ...idsOf(pods) };
}

function idsOf({ clusters, zonePools }: CloudPod): Pick<CloudZone, "hostIds" | "poolIds"> {
  return {
    hostIds: clusters.flatMap((one) => one.hosts.map((host) => host.output("id"))),
    poolIds: [...clusters.flatMap((one) => one.pools), ...zonePools].map((pool) => pool.output("id")),
  };
}

function makeZoneItself(site: CloudSite, planned: PlannedZone, needs: readonly pulumi.Resource[]) {
  const { name, networkType, securityGroups, localStorage, domain, guestCidr, details } = planned;
  const [dns1 = "", dns2] = planned.dns;
  const [internalDns1 = "", internalDns2] = planned.internalDns;
  const args = {
    ...{ server: site.server, name, networkType, securityGroups, localStorage, details, dns1, internalDns1, adopt: site.adopt },
    ...(dns2 === undefined ? {} : { dns2 }),
    ...(internalDns2 === undefined ? {} : { internalDns2 }),
    ...(domain === undefined ? {} : { domain }),
    ...(guestCidr === undefined ? {} : { guestCidr }),
  };
  return new TestbedResource(zoneDefinition, name, args, site.options(site.parent, needs));
}

function makeNetwork(site: CloudSite, { name: zoneName }: PlannedZone, zone: pulumi.Resource, planned: PlannedPhysicalNetwork) {
  const { name, called, isolationMethod, tag, vlans } = planned;
  const common = { server: site.server, zone: zoneName };
  const args = {
    ...common,
    name: called,
    isolationMethods: isolationMethod === undefined ? [] : [isolationMethod],
    tags: tag === undefined ? [] : [tag],
    ...(vlans === undefined ? {} : { vlan: vlans }),
  };
  const network = new TestbedResource(physicalNetwork, name, args, site.options(zone));
  const on = { ...common, physicalNetwork: called };
  const traffic = planned.trafficTypes.map(
    (one) => new TestbedResource(trafficType, one.name, { ...on, type: one.type as "Guest", labels: one.labels }, site.options(network)),
  );
  const providers = planned.providers.map((one) => {
    const devices = one.devices.map(({ name: device, hostname, type, parameters, credential }) => {
      const about = { provider: one.called as "Netscaler", hostname, parameters, credential };
      return new TestbedResource(
        networkDevice,
        device,
        { ...on, ...about, ...(type === undefined ? {} : { deviceType: type }) },
        site.options(network),
      );
    });
    return new TestbedResource(networkServiceProvider, one.name, { ...on, name: one.called }, site.options(network, devices));
  });
  return { traffic, providers };
}

/** Only where guests share a network. */
function makeGuestNetwork(
  site: CloudSite,
  { name: zone, guestNetwork: planned }: PlannedZone,
  parent: pulumi.Resource,
  needs: pulumi.Resource[],
) {
  if (!planned) return undefined;
  const { name, called, offering, range } = planned;
  const args = { server: site.server, zone, name: called, offering, ...(range ? rangeArguments(range) : {}) };
  return new TestbedResource(guestNetwork, name, args, site.options(parent, needs));
}

/** Addresses of a range as every resource with one takes them. */
export function rangeArguments({ start, end, gateway, netmask, vlan, account, domainId }: PlannedRange) {
  return {
    ...{ startIp: start, endIp: end, gateway, netmask },
    ...(vlan === undefined ? {} : { vlan }),
    ...(account === undefined ? {} : { account }),
    ...(domainId === undefined ? {} : { domainId }),
  };
}

function makeStagingStore(site: CloudSite, zone: string, parent: pulumi.Resource, store: PlannedImageStore): pulumi.Resource {
  const { name, url = "", provider, details, credential } = store;
  const args = { server: site.server, zone, url, provider, details, ...(credential === undefined ? {} : { credential }) };
  return new TestbedResource(stagingStore, name, args, site.options(parent, site.store(url)));
}

/** @param needs what is there before the store is added */
export function makeImageStore(
  site: CloudSite,
  zone: string,
  parent: pulumi.Resource,
  { name, called, url, provider, details, credential }: PlannedImageStore,
  needs: readonly pulumi.Resource[],
): pulumi.Resource {
  const args = {
    ...{ server: site.server, zone, provider, details },
    ...(called === undefined ? {} : { name: called }),
    ...(url === undefined ? {} : { url }),
    ...(credential === undefined ? {} : { credential }),
  };
  return new TestbedResource(imageStore, name, args, site.options(parent, [...needs, ...(url === undefined ? [] : site.store(url))]));
}
