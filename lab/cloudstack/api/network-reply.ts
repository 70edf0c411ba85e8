import { readFileSync } from "node:fs";
import { cidr } from "../addresses.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { place } from "../objects.ts";

/** What every network shows, whatever it is. */
const usual = (row: Row): Reply => ({
  restartrequired: false,
  ispersistent: false,
  tags: [],
  details: {},
  displaynetwork: true,
  strechedl2subnet: false,
  redundantrouter: false,
  supportsvmautoscaling: false,
  created: row.created,
  receivedbytes: 0,
  sentbytes: 0,
  hasannotations: false,
});

const control = { gateway: "169.254.0.1", netmask: "255.255.0.0", cidr: "169.254.0.0/16" };

export function systemNetworkReply(database: Database, row: Row): Reply {
  const zone = database.find(row.zoneId) as Row;
  const domain = database.table("domain")[0] as Row;
  const name = `System-${row.traffictype}-Network`;
  return {
    id: row.id,
    broadcastdomaintype: row.broadcast,
    traffictype: row.traffictype,
    ...(row.traffictype === "Control" ? control : {}),
    ...place(database, row, "zone"),
    networkofferingid: database.table("offering").find((one) => one.name === name)?.id,
    networkofferingname: name,
    networkofferingdisplaytext: `System Offering for ${name}`,
    networkofferingconservemode: true,
    networkofferingavailability: "Required",
    issystem: true,
    state: "Setup",
    related: row.id,
    ...(row.traffictype === "Public" ? { dns1: (zone.fields as Reply).dns1 } : {}),
    ...{ account: "system", domainid: domain.id, domain: "ROOT", domainpath: "/" },
    service: [],
    specifyvlan: false,
    specifyipranges: row.specifyipranges,
    canusefordeploy: false,
    ...usual(row),
  };
}

/** What each service can, as release 4.20 says it. */
const capabilities = JSON.parse(readFileSync(new URL("../capabilities.json", import.meta.url), "utf8")) as Record<string, Reply[]>;
/** Of shared networks. */
const sharedDhcp = [{ name: "DhcpAccrossMultipleSubnets", value: "true", canchooseservicecapability: false }];

function services(offering: Reply, isShared: boolean): Reply[] {
  const of = (name: string) => (name === "Dhcp" && isShared ? sharedDhcp : (capabilities[name] ?? []));
  return (offering.service as Reply[]).map((service) => ({ ...service, capability: of(String(service.name)) }));
}

export function networkReply(database: Database, row: Row): Reply {
  const zone = database.find(row.zoneId) as Row;
  const domain = database.table("domain")[0] as Row;
  const account = database.find(row.accountId);
  const offering = database.find(row.offeringId) as Row;
  const fields = offering.fields as Reply;
  const isNative = row.vlan === "untagged";
  return {
    id: row.id,
    name: row.name,
    displaytext: row.displaytext,
    broadcastdomaintype: isNative ? "Native" : "Vlan",
    traffictype: "Guest",
    ...(row.gateway ? { gateway: row.gateway, netmask: row.netmask, cidr: cidr(String(row.gateway), String(row.netmask)) } : {}),
    ...place(database, row, "zone"),
    networkofferingid: offering.id,
    networkofferingname: offering.name,
    networkofferingdisplaytext: fields.displaytext,
    networkofferingconservemode: fields.conservemode,
    networkofferingavailability: fields.availability,
    issystem: false,
    state: row.state,
    related: row.id,
    ...(row.vlan ? { broadcasturi: `vlan://${row.vlan}` } : row.vnet ? { broadcasturi: `vlan://${row.vnet}` } : {}),
    dns1: (zone.fields as Reply).dns1,
    type: row.isShared ? "Shared" : "Isolated",
    ...(row.vlan ? { vlan: row.vlan } : row.vnet ? { vlan: String(row.vnet) } : {}),
    ...(row.isShared ? { acltype: "Domain", subdomainaccess: true } : { acltype: "Account", account: account?.name }),
    ...{ domainid: domain.id, domain: "ROOT", domainpath: "/" },
    service: services(fields, row.isShared === true),
    networkdomain: row.networkDomain,
    physicalnetworkid: row.physicalNetworkId,
    specifyvlan: fields.specifyvlan,
    specifyipranges: fields.specifyipranges,
    canusefordeploy: zone.allocationState === "Enabled",
    ...usual(row),
    ...(row.isShared ? {} : { supportsvmautoscaling: true, egressdefaultpolicy: false }),
    publicmtu: 1500,
    privatemtu: 1500,
  };
}
