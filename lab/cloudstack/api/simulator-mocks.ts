import type { Commands, Request } from "../command.ts";
import type { Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { unexpected } from "../errors.ts";

/** A mock shows database ids, under a key that is the word null (cloudstack-observed facts 47). */
function reply({ cloud }: Request, mock: Row): Reply {
  const number = (id: unknown) => cloud.database.find(id)?.databaseId;
  const { databaseId, zoneId, podId, clusterId, hostId, name, shownCount } = mock;
  const places = { zoneid: number(zoneId), podid: number(podId), clusterid: number(clusterId), hostid: number(hostId) };
  return { null: { id: databaseId, ...places, name, count: shownCount } };
}

function named(request: Request, verb: string): Row {
  const mock = request.cloud.database.table("mock").find((one) => one.databaseId === Number(request.parameters.id));
  if (!mock) throw unexpected(`Failed to ${verb} mock`);
  return mock;
}

/** What upstream's simulator has for tests: commands to its hosts that fail or are slow. */
export const simulatorMockCommands: Commands = {
  configureSimulator: {
    run(request) {
      const { zoneid: zoneId, podid: podId, clusterid: clusterId, hostid: hostId, name, value, count } = request.parameters;
      const limit = count === undefined ? undefined : Number(count);
      const { database } = request.cloud;
      const same = database
        .table("mock")
        .find(
          (one) =>
            one.name === name && one.zoneId === zoneId && one.podId === podId && one.clusterId === clusterId && one.hostId === hostId,
        );
      const fields = { zoneId, podId, clusterId, hostId, name, value, count: limit, shownCount: limit };
      if (same) database.update(same, fields);
      return reply(request, same ?? database.insert("mock", fields));
    },
  },
  querySimulatorMock: { run: (request) => reply(request, named(request, "query")) },
  cleanupSimulatorMock: {
    run(request) {
      request.cloud.database.remove("mock", named(request, "cleanup"));
      return { success: true };
    },
  },
};
