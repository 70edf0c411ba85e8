import { type Commands, listReply, type Request } from "../command.ts";
import { type Database, type Row, timeText } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue, unexpected } from "../errors.ts";
import { childrenOf, is, isSet, isTrue, named, selected } from "../objects.ts";
import { vlanNumber } from "../vlans.ts";
import { networkReply, systemNetworkReply } from "./network-reply.ts";

/** What a network of an offering is made on: the zone's physical network with Guest traffic. */
function guestNetwork(database: Database, zone: Row): Row {
  const found = childrenOf(database, "physicalnetwork", "zoneId", zone).find((network) =>
    childrenOf(database, "traffictype", "physicalNetworkId", network).some((one) => one.traffictype === "Guest"),
  );
  if (!found) throw invalidValue(`Unable to find the default physical network with traffic=Guest in zone id=${zone.databaseId} `);
  return found;
}

function createNetwork(request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const zone = named(request, "zone", "zoneid");
  const row = named(request, "offering", "networkofferingid", "network offering");
  const physical = parameters.physicalnetworkid ? named(request, "physicalnetwork", "physicalnetworkid") : guestNetwork(database, zone);
  const { name, displaytext = name, gateway, netmask, startip, endip = startip, vlan } = parameters;
  const isShared = (row.fields as Reply).guestiptype === "Shared";
  const number = vlanNumber(vlan);
  const taken = childrenOf(database, "network", "zoneId", zone).find(
    (one) => isShared && one.vlan === String(number) && number !== undefined,
  );
  if (taken)
    throw invalidValue(`Network with vlan vlan://${number} already exists or overlaps with other network vlans in zone ${zone.databaseId}`);
  if (isShared && zone.networkType === "Basic" && childrenOf(database, "network", "zoneId", zone).some((one) => !one.isSystem))
    throw invalidValue("Can't have more than one Guest network in zone with network type Basic");
  const network = database.insert("network", {
    ...{ name, displaytext, zoneId: zone.id, offeringId: row.id, physicalNetworkId: physical.id, traffictype: "Guest", isShared },
    ...{ vlan: isShared ? (number === undefined ? "untagged" : String(number)) : undefined, created: timeText() },
    ...(isShared
      ? { gateway, netmask, state: "Setup" }
      : { gateway: gateway ?? "10.1.1.1", netmask: netmask ?? "255.255.255.0", state: "Allocated" }),
    ...{
      accountId: isShared ? undefined : request.caller.account.id,
      networkDomain: networkDomain(cloud.stored("guest.domain.suffix"), request),
    },
  });
  if (isShared && startip && gateway && netmask)
    database.insert("vlan", {
      ...{ isPublic: false, zoneId: zone.id, networkId: network.id, physicalNetworkId: physical.id, vlan: network.vlan, account: "system" },
      ...{ gateway, netmask, startip, endip },
    });
  return { network: networkReply(database, network) };
}

/** `cs`, the account's number in hexadecimal, and the suffix of the settings. */
const networkDomain = (suffix: string | undefined, { caller }: Request) => `cs${caller.account.databaseId.toString(16)}${suffix ?? ""}`;

function listNetworks(request: Request): Reply {
  const { database } = request.cloud;
  const { issystem } = request.parameters;
  const all = database.table("network").filter((one) => (one.isSystem === true) === isSet(issystem));
  // Those of a zone that is gone are still looked at (cloudstack-observed facts 35).
  if (isSet(issystem) && database.hasRemoved("zone"))
    throw unexpected('Cannot invoke "com.cloud.dc.DataCenter.getDns1()" because "zone" is null');
  const visible = all.filter((one) => isSet(request.parameters.listall) || !one.accountId || one.accountId === request.caller.account.id);
  const rows = selected(request, visible, {
    ...{ physicalnetworkid: is("physicalNetworkId"), traffictype: is("traffictype"), issystem: isTrue("isSystem"), state: is("state") },
    type: (row, wanted) => (row.isShared ? "shared" : "isolated") === wanted.toLowerCase(),
  });
  return listReply(
    request,
    "network",
    rows.map((row) => (row.isSystem ? systemNetworkReply(database, row) : networkReply(database, row))),
  );
}

/** The network of a basic zone or with security groups goes only when nothing has an address of it (cloudstack-observed facts 36). */
function deleteNetwork(request: Request): Reply {
  const { database } = request.cloud;
  const network = named(request, "network");
  const isUsed = database.table("instance").some((vm) => vm.networkId === network.id || (network.isShared && vm.zoneId === network.zoneId));
  const ranges = childrenOf(database, "vlan", "networkId", network);
  if (isUsed || ranges.some((range) => range.podId)) throw failed("Failed to delete network");
  for (const range of ranges) database.remove("vlan", range);
  database.remove("network", network);
  return { success: true };
}

export const networkCommands: Commands = {
  listNetworks: { forUsers: true, run: listNetworks },
  createNetwork: { forUsers: true, run: createNetwork },
  deleteNetwork: {
    forUsers: true,
    job: {
      class: "org.apache.cloudstack.api.command.user.network.DeleteNetworkCmd",
      instanceType: "Network",
      namesInstance: false,
      seconds: 1.5,
    },
    run: deleteNetwork,
  },
};
