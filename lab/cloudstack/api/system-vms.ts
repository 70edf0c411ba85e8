import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import { RELEASE, type Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { removeInstance, stopInstance } from "../instances.ts";
import { is, named, place, selected } from "../objects.ts";
import { offering } from "../offerings.ts";
import { agentState, start } from "../system-vms.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.systemvm.";
const kinds: Record<string, { shown: string; offering: string }> = {
  ConsoleProxy: { shown: "consoleproxy", offering: "System Offering For Console Proxy" },
  SecondaryStorageVm: { shown: "secondarystoragevm", offering: "System Offering For Secondary Storage VM" },
};

const isSystemVm = (vm: Row) => String(vm.type) in kinds;

function addresses(vm: Row): Reply {
  const link = vm.linkLocal as { ip: string; mac: string } | undefined;
  return {
    ...(vm.privateIp ? { privateip: vm.privateIp, privatemacaddress: vm.privateMac, privatenetmask: vm.privateNetmask } : {}),
    ...(link ? { linklocalip: link.ip, linklocalmacaddress: link.mac, linklocalnetmask: "255.255.0.0" } : {}),
    ...(vm.publicIp ? { publicip: vm.publicIp, publicmacaddress: vm.publicMac, publicnetmask: vm.publicNetmask } : {}),
  };
}

function controlState(host: Row): string {
  if (host.state !== "Up") return "Offline";
  return ["Enabled", "Disabled"].includes(String(host.resourceState)) ? String(host.resourceState) : "Maintenance";
}

export function systemVmReply(database: Database, vm: Row): Reply {
  const zone = database.find(vm.zoneId) as Row;
  const host = database.find(vm.hostId);
  const kind = kinds[String(vm.type)] as { shown: string; offering: string };
  const template = database.find(vm.templateId);
  const isProxy = vm.type === "ConsoleProxy";
  const agent = agentState(database, vm);
  return {
    id: vm.id,
    systemvmtype: kind.shown,
    ...place(database, vm, "zone"),
    dns1: (zone.fields as Reply).dns1,
    dns2: (zone.fields as Reply).dns2,
    ...(vm.publicIp ? { gateway: vm.gateway } : {}),
    name: vm.name,
    ...place(database, vm, "pod"),
    ...(host ? { hostid: host.id, hostname: host.name, hostcontrolstate: controlState(host) } : {}),
    hypervisor: vm.hypervisor,
    ...addresses(vm),
    templateid: template?.id,
    templatename: template?.name,
    created: vm.created,
    state: vm.state,
    ...(agent ? { agentstate: agent, version: RELEASE } : {}),
    ...(isProxy && vm.publicIp ? { activeviewersessions: 0 } : {}),
    isdynamicallyscalable: false,
    serviceofferingid: offering(database, kind.offering).id,
    serviceofferingname: kind.offering,
    arch: "x86_64",
    hasannotations: false,
  };
}

function systemVm(request: Request): Row {
  const vm = named(request, "instance", "id", "system vm");
  if (!isSystemVm(vm)) throw invalidValue(`unable to find a system vm with id ${vm.id}`);
  return vm;
}

/** A job on one, by what it does; a change of state takes a moment. */
function job(name: string, change: (request: Request, vm: Row) => void): Commands[string] {
  return {
    job: { class: `${CLASSES}${name}`, instanceType: "SystemVm", seconds: 1.5 },
    run(request) {
      const vm = systemVm(request);
      change(request, vm);
      return { systemvm: systemVmReply(request.cloud.database, vm) };
    },
  };
}

export const systemVmCommands: Commands = {
  listSystemVms: {
    run(request) {
      const { database } = request.cloud;
      const rows = selected(request, database.table("instance").filter(isSystemVm), {
        ...{ state: is("state"), hostid: is("hostId"), storageid: () => true },
        systemvmtype: (vm, wanted) => kinds[String(vm.type)]?.shown === wanted,
      });
      return listReply(
        request,
        "systemvm",
        rows.map((vm) => systemVmReply(database, vm)),
      );
    },
  },
  stopSystemVm: job("StopSystemVmCmd", ({ cloud }, vm) => stopInstance(cloud.database, vm)),
  startSystemVm: job("StartSystemVMCmd", ({ cloud }, vm) => {
    if (!start(cloud, vm)) throw failed(`Unable to start system vm ${vm.name}`);
  }),
  rebootSystemVm: job("RebootSystemVmCmd", () => undefined),
  destroySystemVm: {
    job: { class: `${CLASSES}DestroySystemVmCmd`, instanceType: "SystemVm", seconds: 1.5 },
    run(request) {
      const { database } = request.cloud;
      const vm = systemVm(request);
      // Its state before, without its addresses (cloudstack-observed facts, advanced-sg-teardown#15).
      const shown = systemVmReply(database, { ...vm, publicIp: undefined, privateIp: undefined, linkLocal: undefined, id: "" });
      removeInstance(database, vm);
      return { systemvm: { ...shown, id: vm.id } };
    },
  },
};
