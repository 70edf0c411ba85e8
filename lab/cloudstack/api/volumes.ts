import { type Commands, listReply } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { is, isSet, place, selected } from "../objects.ts";
import { offering } from "../offerings.ts";

const offerings: Record<string, string> = {
  ConsoleProxy: "System Offering For Console Proxy",
  SecondaryStorageVm: "System Offering For Secondary Storage VM",
  DomainRouter: "System Offering For Software Router",
};

function volumeReply(database: Database, volume: Row): Reply {
  const vm = database.find(volume.instanceId) as Row;
  const pool = database.find(volume.poolId);
  const template = database.find(vm.templateId);
  const domain = database.table("domain")[0] as Row;
  const size = offering(database, offerings[String(vm.type)] ?? "Small Instance");
  const isUser = vm.type === "User";
  const account = database.find(vm.accountId);
  const load = isUser ? { diskkbsread: 0, diskkbswrite: 0, diskioread: 0, diskiowrite: 0, serviceofferingdisplaytext: size.name } : {};
  return {
    id: volume.id,
    name: volume.name,
    ...place(database, volume, "zone"),
    ...{ type: "ROOT", deviceid: 0, virtualmachineid: vm.id },
    ...{ templateid: template?.id, templatename: template?.name, templatedisplaytext: template?.name },
    ...{
      vmname: vm.name,
      vmdisplayname: vm.name,
      vmstate: vm.state,
      vmtype: vm.type,
      provisioningtype: "thin",
      size: isUser ? 2 ** 31 : 0,
    },
    ...{
      created: volume.created,
      state: volume.state,
      account: account?.name ?? "system",
      domainid: domain.id,
      domain: "ROOT",
      domainpath: "/",
    },
    ...{ storagetype: "shared", hypervisor: vm.hypervisor, storage: pool?.name, destroyed: false },
    ...{ serviceofferingid: String(size.databaseId), serviceofferingname: size.name, isextractable: false, displayvolume: true },
    ...{ path: volume.id, storageid: pool?.id, quiescevm: false, supportsstoragesnapshot: false, deleteprotection: false },
    ...load,
    ...place(database, volume, "cluster", "pod"),
    tags: [],
    hasannotations: false,
  };
}

export const volumeCommands: Commands = {
  listVolumes: {
    forUsers: true,
    run(request) {
      const { database } = request.cloud;
      const system = isSet(request.parameters.listsystemvms);
      const tests = { virtualmachineid: is("instanceId"), storageid: is("poolId") };
      const rows = selected(request, database.table("volume"), tests).filter(
        (one) => system || database.find(one.instanceId)?.type === "User",
      );
      return listReply(
        request,
        "volume",
        rows.map((one) => volumeReply(database, one)),
      );
    },
  },
};
