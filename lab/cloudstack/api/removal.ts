import type { Commands, Request } from "../command.ts";
import type { Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { childrenOf, named, removable } from "../objects.ts";
import { rangeAddresses } from "../usage.ts";
import { takenVlans } from "./physical-networks.ts";

/** Only the first obstacle is named (cloudstack-observed facts 37). */
function deleteZone(request: Request): Reply {
  const { database } = request.cloud;
  const zone = removable(request, "zone", (number) => invalidValue(`A zone with ID: ${number} does not exist.`));
  const inZone = (table: string) => childrenOf(database, table, "zoneId", zone);
  const obstacles: [isThere: boolean, what: string][] = [
    [inZone("host").some((host) => host.type === "Routing" && host.resourceState !== "Disabled"), "servers"],
    [inZone("pod").length > 0, "pods"],
    [inZone("vlan").some((vlan) => rangeAddresses(database, vlan).length > 0), "public IP addresses allocated"],
    [inZone("instance").length > 0, "virtual machines"],
    [inZone("volume").length > 0, "storage volumes"],
    [inZone("physicalnetwork").length > 0, "physical networks"],
    [inZone("imagestore").length > 0, "Secondary storage still exists"],
  ];
  const obstacle = obstacles.find(([isThere]) => isThere)?.[1];
  if (obstacle) throw failed(`The zone cannot be deleted because there are ${obstacle} in this zone.`);
  for (const table of ["network", "vlan"]) for (const row of inZone(table)) database.remove(table, row);
  database.remove("zone", zone);
  return { success: true };
}

function deletePhysicalNetwork(request: Request): Reply {
  const { database } = request.cloud;
  const network = named(request, "physicalnetwork", "id", "physical network");
  const refuse = (why: string) => failed(`The Physical Network is not deletable because there are ${why} for this physical network`);
  if (takenVlans(database, network).length > 0) throw refuse("allocated vnets");
  if (database.table("network").some((one) => one.physicalNetworkId === network.id)) throw refuse("networks");
  const ranges = childrenOf(database, "vlan", "physicalNetworkId", network);
  if (ranges.some((vlan) => rangeAddresses(database, vlan).length > 0)) throw refuse("public IP addresses allocated");
  const providers = childrenOf(database, "provider", "physicalNetworkId", network);
  for (const provider of providers)
    for (const table of ["element", "device"]) removeAll(request, table, childrenOf(database, table, "providerId", provider));
  removeAll(request, "provider", providers);
  removeAll(request, "traffictype", childrenOf(database, "traffictype", "physicalNetworkId", network));
  removeAll(request, "vlan", ranges);
  database.remove("physicalnetwork", network);
  return { success: true };
}

function removeAll({ cloud }: Request, table: string, rows: readonly Row[]): void {
  for (const row of rows) cloud.database.remove(table, row);
}

export const removalCommands: Commands = {
  deleteZone: { run: deleteZone },
  deletePhysicalNetwork: {
    job: { class: "org.apache.cloudstack.api.command.admin.network.DeletePhysicalNetworkCmd", instanceType: "PhysicalNetwork" },
    run: deletePhysicalNetwork,
  },
};
