import { randomUUID } from "node:crypto";
import { freeAddress, lastAddress } from "../addresses.ts";
import type { Cloud } from "../cloud.ts";
import { type Command, type Commands, listReply, type Request } from "../command.ts";
import { type Row, timeText } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { type ApiFault, failed, invalidValue } from "../errors.ts";
import { macAddress, removeInstance } from "../instances.ts";
import { childrenOf, is, isSet, named, selected } from "../objects.ts";
import { collectGarbage, implementNetwork, placeVm, setState } from "../user-vms.ts";
import { virtualMachineReply } from "./virtual-machine-reply.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.vm.";
/** From the beginning of a job to the VM's change of state, and from there to the job's end. */
const DEPLOY_STARTING_SECONDS = 1.5;

/** The networks that were named, or the account's only one. */
function networkFor(request: Request, zone: Row): Row {
  const { networkids } = request.parameters;
  const { database } = request.cloud;
  const id = networkids?.split(",")[0];
  const found = id ? database.find(id) : childrenOf(database, "network", "zoneId", zone).find((one) => !one.isSystem);
  if (!found) throw invalidValue("No default Isolated network offering is found");
  return found;
}

function create(request: Request): Row {
  const { cloud, caller, parameters } = request;
  const { database } = cloud;
  const zone = named(request, "zone", "zoneid");
  const template = named(request, "template", "templateid");
  const offering = named(request, "offering", "serviceofferingid", "service offering");
  const network = networkFor(request, zone);
  const { name = `VM-${randomUUID()}`, displayname = name } = parameters;
  const others = childrenOf(database, "instance", "networkId", network).filter((vm) => vm.type === "User");
  if (others.some((vm) => vm.name === name))
    throw invalidValue(
      `The vm with hostName ${name} already exists in the network domain: ${network.networkDomain}; network=${network.name}`,
    );
  const size = offering.fields as Record<string, number>;
  const vm = database.insert("instance", {
    ...{ type: "User", name, displayName: displayname, state: "Stopped", zoneId: zone.id, networkId: network.id, templateId: template.id },
    ...{ hypervisor: template.hypervisor, offeringId: offering.id, accountId: caller.account.id, userId: caller.user.id },
    ...{ cpu: size.cpuspeed, cores: size.cpunumber, memory: (size.memory ?? 0) * 2 ** 20, created: timeText(), nicId: randomUUID() },
    ...{ guestIp: guestAddress(cloud, network, others), guestMac: macAddress("02:01:00"), details: { deployvm: "true" } },
  });
  database.update(vm, { instanceName: `i-${caller.account.databaseId}-${vm.databaseId}-VM` });
  implementNetwork(cloud, network);
  cloud.after(DEPLOY_STARTING_SECONDS, () => void placeVm(cloud, vm));
  return vm;
}

function guestAddress({ database }: Cloud, network: Row, others: readonly Row[]): string | undefined {
  const taken = new Set([String(network.gateway), ...others.map((vm) => String(vm.guestIp))]);
  const range = childrenOf(database, "vlan", "networkId", network)[0] as { startip?: string; endip?: string } | undefined;
  const gateway = String(network.gateway);
  const { startip = gateway, endip = lastAddress(gateway, String(network.netmask)) } = range ?? {};
  return freeAddress({ startip, endip }, taken);
}

/** The server names the VM, and in the text of a job its plan. */
function startFailed(vm: Row): ApiFault {
  const shown = `{"id":${vm.databaseId},"instanceName":"${vm.instanceName}","state":"Starting","type":"User","uuid":"${vm.id}"}`;
  return failed(
    `Unable to start a VM [${vm.id}] due to [Unable to create a deployment for VM instance ${shown}.].`
      .replace("}.]", "}]")
      .replace(/\]\.$/, "]."),
  );
}

function vmOf(request: Request): Row {
  const vm = named(request, "instance", "id", "virtual machine");
  if (vm.type !== "User") throw invalidValue(`unable to find a virtual machine with id ${vm.id}`);
  return vm;
}

const shown = ({ cloud, job }: Request, vm: Row): Reply => ({
  virtualmachine: { ...virtualMachineReply(cloud.database, vm), jobid: job?.id, jobstatus: 0 },
});

function job(name: string, seconds: number, run: (request: Request, vm: Row) => void): Command {
  return {
    forUsers: true,
    job: { class: `${CLASSES}${name}`, instanceType: "VirtualMachine", seconds },
    run(request) {
      const vm = vmOf(request);
      run(request, vm);
      return shown(request, vm);
    },
  };
}

const stopped = { state: "Stopped", hostId: undefined, details: { "Message.ReservedCapacityFreed.Flag": "false" } };

function destroy(request: Request, vm: Row): void {
  const { cloud, parameters } = request;
  setState(cloud.database, vm, { ...stopped, state: "Destroyed" });
  const network = cloud.database.find(vm.networkId) as Row;
  if (isSet(parameters.expunge)) removeInstance(cloud.database, vm);
  collectGarbage(cloud, network);
}

const destroyCommand = job("DestroyVMCmdByAdmin", 5, destroy);

export const virtualMachineCommands: Commands = {
  listVirtualMachines: {
    forUsers: true,
    run(request) {
      const { cloud, caller, parameters } = request;
      const all = cloud.database.table("instance").filter((vm) => vm.type === "User");
      const visible = all.filter((vm) => isSet(parameters.listall) || parameters.id || vm.accountId === caller.account.id);
      const rows = selected(request, visible, { state: is("state"), hostid: is("hostId"), networkid: is("networkId") });
      return listReply(
        request,
        "virtualmachine",
        rows.map((vm) => ({ ...virtualMachineReply(cloud.database, vm), ...runningJob(cloud, vm) })),
      );
    },
  },
  deployVirtualMachine: {
    forUsers: true,
    job: { class: `${CLASSES}DeployVMCmdByAdmin`, instanceType: "VirtualMachine", seconds: 2.4 },
    create,
    run(request, created) {
      const vm = created as Row;
      if (vm.state !== "Starting") {
        setState(request.cloud.database, vm, { state: "Error" });
        throw startFailed(vm);
      }
      setState(request.cloud.database, vm, { state: "Running", details: {} });
      return shown(request, vm);
    },
  },
  startVirtualMachine: job("StartVMCmdByAdmin", 1.8, ({ cloud }, vm) => {
    if (vm.state === "Running") throw invalidValue(`The virtual machine ${vm.id} (${vm.name}) is already running`);
    if (!placeVm(cloud, vm)) throw startFailed(vm);
    setState(cloud.database, vm, { state: "Running", details: {} });
  }),
  stopVirtualMachine: job("StopVMCmdByAdmin", 0.8, ({ cloud }, vm) => setState(cloud.database, vm, stopped)),
  rebootVirtualMachine: job("RebootVMCmdByAdmin", 1.8, () => undefined),
  destroyVirtualMachine: {
    ...destroyCommand,
    async run(request) {
      const vm = vmOf(request);
      const reply = await destroyCommand.run(request);
      // Of one that is expunged nearly nothing is left to show (cloudstack-observed facts 22).
      return isSet(request.parameters.expunge) ? { virtualmachine: expunged(request, vm) } : reply;
    },
  },
  recoverVirtualMachine: {
    run(request) {
      const vm = vmOf(request);
      if (vm.state !== "Destroyed") throw invalidValue(`Unable to find a virtual machine that is destroyed, id ${vm.id}`);
      setState(request.cloud.database, vm, { state: "Stopped" });
      return { virtualmachine: virtualMachineReply(request.cloud.database, vm) };
    },
  },
};

const expunged = (_request: Request, _vm: Row): Reply => ({
  securitygroup: [],
  nic: [],
  affinitygroup: [],
  tags: [],
  hasannotations: false,
});

function runningJob({ database }: Cloud, vm: Row): Reply {
  const running = database.table("job").find((one) => one.status === 0 && one.instanceId === vm.id);
  return running ? { jobid: running.id, jobstatus: 0 } : {};
}
