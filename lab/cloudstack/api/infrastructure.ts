import { type Commands, listReply } from "../command.ts";
import { jobReply } from "../jobs.ts";
import { is, selected } from "../objects.ts";

export const infrastructureCommands: Commands = {
  listInfrastructure: {
    run({ cloud: { database } }) {
      const count = (table: string) => database.table(table).length;
      const instances = (...types: string[]) => database.table("instance").filter((vm) => types.includes(String(vm.type))).length;
      return {
        infrastructure: {
          ...{ zones: count("zone"), pods: count("pod"), clusters: count("cluster") },
          hosts: database.table("host").filter((host) => host.type === "Routing").length,
          ...{ storagepools: count("storagepool"), imagestores: count("imagestore"), objectstores: 0 },
          ...{ systemvms: instances("ConsoleProxy", "SecondaryStorageVm"), routers: instances("DomainRouter"), ilbvms: 0 },
          ...{ cpusockets: 0, managementservers: 1, alerts: count("alert") },
        },
      };
    },
  },
  listAlerts: {
    run(request) {
      const rows = selected(request, [...request.cloud.database.table("alert")].reverse(), {
        type: (row, wanted) => String(row.type) === wanted,
        name: is("name"),
      });
      return listReply(
        request,
        "alert",
        rows.map(({ id, type, name, description, sent }) => ({ id, type, name, description, sent })),
      );
    },
  },
  listAsyncJobs: {
    forUsers: true,
    run(request) {
      const running = request.cloud.database.table("job").filter((job) => job.status === 0);
      return listReply(
        request,
        "asyncjobs",
        running.map((job) => jobReply(request.cloud.database, job)),
      );
    },
  },
  listHostTags: {
    run(request) {
      const tagged = request.cloud.database.table("host").filter((host) => host.tags);
      const rows = tagged.flatMap((host) =>
        String(host.tags)
          .split(",")
          .map((name) => ({ id: host.id, hostid: host.databaseId, name })),
      );
      return listReply(request, "hosttag", rows);
    },
  },
  listStorageTags: {
    run(request) {
      const tagged = request.cloud.database.table("storagepool").filter((pool) => pool.tags);
      const rows = tagged.flatMap((pool) =>
        String(pool.tags)
          .split(",")
          .map((name) => ({ id: pool.id, poolid: pool.databaseId, name })),
      );
      return listReply(request, "storagetag", rows);
    },
  },
};
