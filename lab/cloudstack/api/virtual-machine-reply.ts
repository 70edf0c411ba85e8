import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { childrenOf, place } from "../objects.ts";

function nicReply(database: Database, vm: Row): Reply {
  const network = database.find(vm.networkId) as Row;
  const uri =
    vm.state === "Running" && network.vnet ? { isolationuri: `vlan://${network.vnet}`, broadcasturi: `vlan://${network.vnet}` } : {};
  return {
    ...{ id: vm.nicId, networkid: network.id, networkname: network.name, netmask: network.netmask, gateway: network.gateway },
    ipaddress: vm.guestIp,
    ...uri,
    ...{ traffictype: "Guest", type: network.isShared ? "Shared" : "Isolated", isdefault: true, macaddress: vm.guestMac },
    ...{ secondaryip: [], extradhcpoption: [], deviceid: "0" },
  };
}

export function virtualMachineReply(database: Database, vm: Row): Reply {
  const account = database.find(vm.accountId) as Row;
  const user = database.find(vm.userId) as Row;
  const domain = database.table("domain")[0] as Row;
  const host = database.find(vm.hostId);
  const template = database.find(vm.templateId) as Row;
  const offering = database.find(vm.offeringId) as Row;
  const hasVolume = childrenOf(database, "volume", "instanceId", vm).length > 0;
  return {
    ...{ id: vm.id, name: vm.name, displayname: vm.displayName, account: account.name, userid: user.id, username: user.username },
    ...{ domainid: domain.id, domain: "ROOT", domainpath: "/", created: vm.created },
    ...(vm.updated ? { lastupdated: vm.updated } : {}),
    ...{ state: vm.state, haenable: false },
    ...place(database, vm, "zone"),
    ...(host ? { hostid: host.id, hostname: host.name, hostcontrolstate: "Enabled" } : {}),
    ...{ templateid: template.id, templatename: template.name, templatetype: template.type, templateformat: template.format },
    ...{ templatedisplaytext: template.name, passwordenabled: false, serviceofferingid: offering.id, serviceofferingname: offering.name },
    ...{ cpunumber: vm.cores, cpuspeed: vm.cpu, memory: Number(vm.memory) / 2 ** 20, guestosid: template.osTypeId },
    ...{ rootdeviceid: 0, rootdevicetype: "ROOT", securitygroup: [], nic: [nicReply(database, vm)], hypervisor: vm.hypervisor },
    ...{ ipaddress: vm.guestIp, instancename: vm.instanceName, details: vm.details, affinitygroup: [], displayvm: true },
    ...{ isdynamicallyscalable: false, deleteprotection: false, ostypeid: template.osTypeId, osdisplayname: template.os },
    ...(vm.state === "Running" ? { bootmode: "legacy", boottype: "Bios" } : {}),
    ...(hasVolume && vm.state !== "Starting" ? { pooltype: "NetworkFilesystem" } : {}),
    ...{ receivedbytes: 0, sentbytes: 0, arch: "x86_64", tags: [], hasannotations: false },
  };
}
