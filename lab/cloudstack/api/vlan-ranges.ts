import { addressNumber, addressText, cidr, isInRange, isInSubnet, overlap, type Range, type Subnet, subnetsOverlap } from "../addresses.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { invalidValue } from "../errors.ts";
import { childrenOf, is, isSet, isTrue, named, place, selected } from "../objects.ts";
import { rangeAddresses } from "../usage.ts";
import { type VlanRange, vlanNumber } from "../vlans.ts";

export function vlanReply(database: Database, vlan: Row): Reply {
  const account = database.table("account").find((one) => one.name === vlan.account);
  const domain = database.find(account?.domainId);
  return {
    id: vlan.id,
    forvirtualnetwork: vlan.isPublic,
    zoneid: vlan.zoneId,
    vlan: vlan.vlan,
    ...(account ? { account: account.name, domainid: domain?.id, domain: domain?.name, domainpath: "/" } : {}),
    ...place(database, vlan, "pod"),
    gateway: vlan.gateway,
    netmask: vlan.netmask,
    cidr: cidr(String(vlan.gateway), String(vlan.netmask)),
    startip: vlan.startip,
    endip: vlan.endip,
    networkid: vlan.networkId,
    physicalnetworkid: vlan.physicalNetworkId,
    forsystemvms: vlan.forSystemVms ?? false,
    fornsx: false,
  };
}

/** The network of a zone that carries a kind of traffic. */
function carrier(database: Database, zone: Row, traffictype: string): Row | undefined {
  const networks = childrenOf(database, "physicalnetwork", "zoneId", zone);
  return networks.find((one) =>
    childrenOf(database, "traffictype", "physicalNetworkId", one).some((type) => type.traffictype === traffictype),
  );
}

/** The network, the physical network and the zone of a new range. */
function target(request: Request, isPublic: boolean): { network: Row; physical: Row; zone: Row } {
  const { database } = request.cloud;
  const { networkid, zoneid } = request.parameters;
  if (networkid) {
    const network = named(request, "network", "networkid");
    return { network, physical: database.find(network.physicalNetworkId) as Row, zone: database.find(network.zoneId) as Row };
  }
  if (!zoneid) throw invalidValue("Unable to find zone by id null");
  const zone = named(request, "zone", "zoneid");
  const physical = isPublic ? carrier(database, zone, "Public") : undefined;
  if (!isPublic) throw invalidValue("Physical Network Id is null, please provide the Network id for Direct vlan creation ");
  if (!physical) throw invalidValue(`Unable to find the default physical network with traffic=Public in zone id=${zone.databaseId} `);
  const network = childrenOf(database, "network", "zoneId", zone).find((one) => one.isSystem && one.traffictype === "Public") as Row;
  return { network, physical, zone };
}

function createVlanIpRange(request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const { gateway = "", netmask = "", startip = "", endip = startip, vlan, account } = parameters;
  const isPublic = parameters.forvirtualnetwork === undefined || isSet(parameters.forvirtualnetwork);
  const { network, physical, zone } = target(request, isPublic);
  const number = vlanNumber(vlan);
  const uri = number === undefined ? "vlan://untagged" : `vlan://${number}`;
  checkAddresses({ gateway, netmask }, { startip, endip });
  checkTag(zone, physical, isPublic, uri, number);
  checkOthers(database, zone, uri, { gateway, netmask }, { startip, endip });
  const row = database.insert("vlan", {
    ...{ isPublic, zoneId: zone.id, networkId: network.id, physicalNetworkId: physical.id, vlan: uri },
    ...{ gateway, netmask, startip, endip, podId: parameters.podid, forSystemVms: isSet(parameters.forsystemvms) },
    account: account ?? (isPublic ? undefined : "system"),
  });
  return { vlan: vlanReply(database, row) };
}

function checkAddresses(subnet: Subnet, range: Range): void {
  if (addressNumber(range.startip) > addressNumber(range.endip)) throw invalidValue("Please specify a valid IP range.");
  for (const [end, address] of [
    ["start", range.startip],
    ["end", range.endip],
  ] as const)
    if (!isInSubnet(address, subnet.gateway, subnet.netmask))
      throw invalidValue(
        `Please ensure that your ${end} IP is in the same subnet as your IP range's gateway, as per your IP range's netmask.`,
      );
  if (isInRange(subnet.gateway, range)) throw invalidValue("The gateway ip should not be the part of the ip range being added.");
}

function checkTag(zone: Row, physical: Row, isPublic: boolean, uri: string, number: number | undefined): void {
  const dynamic = (physical.vlans as VlanRange[]).some(([first, last]) => number !== undefined && number >= first && number <= last);
  if (isPublic && dynamic)
    throw invalidValue(`The VLAN tag ${uri} is already being used for dynamic vlan allocation for the guest network in zone ${zone.name}`);
}

function checkOthers(database: Database, zone: Row, uri: string, subnet: Subnet, range: Range): void {
  for (const other of childrenOf(database, "vlan", "zoneId", zone)) {
    const theirs = other as unknown as Subnet & Range;
    const sameTag = vlanNumber(other.vlan) === vlanNumber(uri);
    if (!sameTag && subnetsOverlap(subnet, theirs))
      throw invalidValue(
        `The IP range with tag: ${other.vlan} in zone ${zone.name} has overlapped with the subnet. Please specify a different gateway/netmask.`,
      );
    if (sameTag && overlap(range, theirs))
      throw invalidValue("The IP range already has IPs that overlap with the new range. Please specify a different start IP/end IP.");
  }
}

function updateVlanIpRange(request: Request): Reply {
  const { database } = request.cloud;
  const row = named(request, "vlan", "id", "vlan");
  const {
    gateway = row.gateway,
    netmask = row.netmask,
    startip = row.startip,
    endip = row.endip,
  } = request.parameters as Record<string, string>;
  const taken = rangeAddresses(database, row)
    .map(addressNumber)
    .sort((one, other) => one - other);
  const [first = 0, last = 0] = [taken[0], taken.at(-1)];
  const isLost = taken.length > 0 && (addressNumber(String(startip)) > first || addressNumber(String(endip)) < last);
  if (isLost)
    throw invalidValue(
      `The start IP address must be less than or equal to ${addressText(first)} which is already in use. ` +
        `The end IP address must be greater than or equal to ${addressText(last)} which is already in use. ` +
        `There are ${taken.length} IPs already allocated in this range.`,
    );
  const { forsystemvms } = request.parameters;
  database.update(row, { gateway, netmask, startip, endip, ...(forsystemvms === undefined ? {} : { forSystemVms: isSet(forsystemvms) }) });
  return { vlan: vlanReply(database, row) };
}

function deleteVlanIpRange(request: Request): Reply {
  const { database } = request.cloud;
  const row = named(request, "vlan", "id", "vlan");
  const taken = rangeAddresses(database, row).length;
  if (taken > 0) throw invalidValue(`${taken}  Ips are in use. Cannot delete this vlan`);
  database.remove("vlan", row);
  return { success: true };
}

export const vlanRangeCommands: Commands = {
  listVlanIpRanges: {
    run(request) {
      const { database } = request.cloud;
      const rows = selected(request, database.table("vlan"), {
        ...{
          forvirtualnetwork: isTrue("isPublic"),
          networkid: is("networkId"),
          physicalnetworkid: is("physicalNetworkId"),
          account: is("account"),
        },
        vlan: (row, wanted) => vlanNumber(row.vlan) === vlanNumber(wanted),
      });
      return listReply(
        request,
        "vlaniprange",
        rows.map((row) => vlanReply(database, row)),
      );
    },
  },
  createVlanIpRange: { run: createVlanIpRange },
  updateVlanIpRange: { run: updateVlanIpRange },
  deleteVlanIpRange: { run: deleteVlanIpRange },
};
