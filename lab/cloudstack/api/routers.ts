import { type Command, type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import { RELEASE, type Reply } from "../envelope.ts";
import { invalidValue } from "../errors.ts";
import { removeInstance, stopInstance } from "../instances.ts";
import { is, isSet, named, place, selected } from "../objects.ts";
import { offering } from "../offerings.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.router.";

function nics(router: Row, network: Row, ids: Record<string, string>): Reply[] {
  const link = router.linkLocal as { ip: string; mac: string } | undefined;
  const uri = network.vnet ? { isolationuri: `vlan://${network.vnet}`, broadcasturi: `vlan://${network.vnet}` } : {};
  const guest = { networkid: network.id, networkname: network.name, netmask: network.netmask, ipaddress: network.gateway, ...uri };
  const control = { networkid: ids.Control, netmask: "255.255.0.0", gateway: "169.254.0.1", ipaddress: link?.ip };
  const publicUri = { isolationuri: router.publicVlan, broadcasturi: router.publicVlan };
  const open = { networkid: ids.Public, netmask: router.publicNetmask, gateway: router.gateway, ipaddress: router.publicIp, ...publicUri };
  return [
    {
      id: `${router.id}-guest`,
      ...guest,
      traffictype: "Guest",
      type: "Isolated",
      isdefault: false,
      macaddress: router.guestMac,
      mtu: 1500,
    },
    ...(link ? [{ id: `${router.id}-control`, ...control, traffictype: "Control", isdefault: false, macaddress: link.mac }] : []),
    { id: `${router.id}-public`, ...open, traffictype: "Public", isdefault: true, macaddress: router.publicMac, mtu: 1500 },
  ];
}

function routerReply(database: Database, router: Row): Reply {
  const zone = database.find(router.zoneId) as Row;
  const network = database.find(router.networkId) as Row;
  const host = database.find(router.hostId);
  const template = database.find(router.templateId);
  const account = database.find(router.accountId);
  const domain = database.table("domain")[0] as Row;
  const link = router.linkLocal as { ip: string; mac: string } | undefined;
  const ofZone = database.table("network").filter((one) => one.zoneId === zone.id && one.isSystem);
  const ids = Object.fromEntries(ofZone.map((one) => [String(one.traffictype), one.id]));
  const size = offering(database, "System Offering For Software Router");
  const isRunning = router.state === "Running";
  return {
    id: router.id,
    ...place(database, router, "zone"),
    ...{ dns1: (zone.fields as Reply).dns1, networkdomain: network.networkDomain, gateway: router.gateway, name: router.name },
    ...place(database, router, "pod"),
    ...(host ? { hostid: host.id, hostname: host.name, hostcontrolstate: "Enabled" } : {}),
    hypervisor: router.hypervisor,
    ...(link
      ? { linklocalip: link.ip, linklocalmacaddress: link.mac, linklocalnetmask: "255.255.0.0", linklocalnetworkid: ids.Control }
      : {}),
    ...{ publicip: router.publicIp, publicmacaddress: router.publicMac, publicnetmask: router.publicNetmask, publicnetworkid: ids.Public },
    ...{ guestipaddress: network.gateway, guestmacaddress: router.guestMac, guestnetmask: network.netmask },
    ...{ guestnetworkid: network.id, guestnetworkname: network.name, templateid: template?.id, templatename: template?.name },
    ...{ created: router.created, state: router.state, account: account?.name, domainid: domain.id, domain: "ROOT", domainpath: "/" },
    ...{ serviceofferingid: size.id, serviceofferingname: size.name, isredundantrouter: false, redundantstate: "UNKNOWN" },
    ...(isRunning ? { version: "4.10.0", scriptsversion: router.id } : {}),
    ...{ role: "VIRTUAL_ROUTER", nic: nics(router, network, ids), requiresupgrade: !isRunning, healthchecksfailed: false },
    ...(isRunning ? { softwareversion: RELEASE } : {}),
    ...{ arch: "x86_64", hasannotations: false },
  };
}

function job(name: string, run: (database: Database, router: Row) => void): Command {
  return {
    job: { class: `${CLASSES}${name}`, instanceType: "DomainRouter" },
    run(request) {
      const router = named(request, "instance", "id", "router");
      if (router.type !== "DomainRouter") throw invalidValue(`unable to find a domain router with id ${router.id}`);
      const { database } = request.cloud;
      run(database, router);
      return { router: routerReply(database, router) };
    },
  };
}

export const routerCommands: Commands = {
  listRouters: {
    run(request: Request) {
      const { database } = request.cloud;
      const { listall, id, zoneid } = request.parameters;
      const all = database.table("instance").filter((vm) => vm.type === "DomainRouter");
      const visible = all.filter((vm) => isSet(listall) || id || zoneid || vm.accountId === request.caller.account.id);
      const rows = selected(request, visible, { state: is("state"), hostid: is("hostId"), networkid: is("networkId") });
      return listReply(
        request,
        "router",
        rows.map((router) => routerReply(database, router)),
      );
    },
  },
  destroyRouter: job("DestroyRouterCmd", removeInstance),
  stopRouter: job("StopRouterCmd", stopInstance),
};
