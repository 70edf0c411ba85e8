import { type Commands, listReply, type Request } from "../command.ts";
import type { Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { childrenOf, is, named, selected } from "../objects.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.usage.";
const types = ["Public", "Guest", "Storage", "Management", "Control", "Vpn", "None"];
const labelFields = ["kvmnetworklabel", "xennetworklabel", "vmwarenetworklabel", "hypervnetworklabel", "ovm3networklabel"];

const trafficTypeReply = (row: Row): Reply => ({
  id: row.id,
  traffictype: row.traffictype,
  physicalnetworkid: row.physicalNetworkId,
  ...(row.labels as Reply),
});

/** The labels that were given; an empty one takes the label away. */
function withLabels(labels: Reply, parameters: Record<string, string>): Reply {
  const merged = { ...labels, ...Object.fromEntries(labelFields.map((field) => [field, parameters[field] ?? labels[field]])) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined && value !== ""));
}

function create(request: Request): Row {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const { traffictype = "" } = parameters;
  const network = named(request, "physicalnetwork", "physicalnetworkid", "physical network");
  if (!types.includes(traffictype)) throw invalidValue(`Unable to resolve trafficType '${traffictype}' to a supported value`);
  if (childrenOf(database, "traffictype", "physicalNetworkId", network).some((one) => one.traffictype === traffictype))
    throw failed(`This physical network already supports the traffic type: ${traffictype}`);
  const others = database.table("physicalnetwork").filter((one) => one.zoneId === network.zoneId && one !== network);
  const carriers = others.filter((other) =>
    childrenOf(database, "traffictype", "physicalNetworkId", other).some((one) => one.traffictype === traffictype),
  );
  if (carriers.length > 0 && traffictype !== "Guest")
    throw failed(
      `Fail to add the traffic type to physical network because Zone already has a physical network with this traffic type: ${traffictype}`,
    );
  if (traffictype === "Guest" && carriers.some((other) => !other.tags || !network.tags))
    throw failed(
      "There are more than 1 physical network with Guest traffic in the zone, and at least one of them has no tags to tell them apart",
    );
  return database.insert("traffictype", { physicalNetworkId: network.id, traffictype, labels: withLabels({}, parameters) });
}

function deleteTrafficType(request: Request): Reply {
  const { database } = request.cloud;
  const row = named(request, "traffictype", "id", "traffic type");
  if (
    row.traffictype === "Guest" &&
    database.table("network").some((one) => one.physicalNetworkId === row.physicalNetworkId && !one.isSystem)
  )
    throw failed(`The Traffic Type is not deletable because there are existing networks with this traffic type:${row.traffictype}`);
  database.remove("traffictype", row);
  return { success: true };
}

export const trafficTypeCommands: Commands = {
  listTrafficTypes: {
    run(request) {
      const rows = selected(request, request.cloud.database.table("traffictype"), { physicalnetworkid: is("physicalNetworkId") });
      return listReply(request, "traffictype", rows.map(trafficTypeReply));
    },
  },
  addTrafficType: {
    job: { class: `${CLASSES}AddTrafficTypeCmd`, instanceType: "TrafficType" },
    create,
    run: (_, row) => ({ traffictype: trafficTypeReply(row as Row) }),
  },
  updateTrafficType: {
    job: { class: `${CLASSES}UpdateTrafficTypeCmd` },
    run(request) {
      const row = named(request, "traffictype", "id", "traffic type");
      request.cloud.database.update(row, { labels: withLabels(row.labels as Reply, request.parameters) });
      return { traffictype: trafficTypeReply(row) };
    },
  },
  deleteTrafficType: { job: { class: `${CLASSES}DeleteTrafficTypeCmd` }, run: deleteTrafficType },
};
