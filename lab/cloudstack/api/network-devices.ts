import { type Command, type Commands, listReply, type Request } from "../command.ts";
import type { Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { is, named, selected } from "../objects.ts";

/** A kind of external device: its commands, the key of its replies, the name of its id, its provider and the Java package of its commands. */
interface Kind {
  add: string;
  list: string;
  remove: string;
  key: string;
  id: string;
  provider: string;
}

const kinds: Kind[] = [
  {
    ...{ add: "addNetscalerLoadBalancer", list: "listNetscalerLoadBalancers", remove: "deleteNetscalerLoadBalancer" },
    ...{ key: "netscalerloadbalancer", id: "lbdeviceid", provider: "Netscaler" },
  },
  {
    ...{ add: "addF5LoadBalancer", list: "listF5LoadBalancers", remove: "deleteF5LoadBalancer" },
    ...{ key: "f5loadbalancer", id: "lbdeviceid", provider: "F5BigIp" },
  },
  {
    ...{ add: "addSrxFirewall", list: "listSrxFirewalls", remove: "deleteSrxFirewall" },
    ...{ key: "srxfirewall", id: "fwdeviceid", provider: "JuniperSRX" },
  },
  {
    ...{ add: "addNiciraNvpDevice", list: "listNiciraNvpDevices", remove: "deleteNiciraNvpDevice" },
    ...{ key: "niciranvpdevice", id: "nvpdeviceid", provider: "NiciraNvp" },
  },
];

function reply(kind: Kind, device: Row): Reply {
  const { physicalNetworkId, host, parameters } = device;
  const where = kind.provider === "NiciraNvp" ? { hostname: host, niciradevicename: kind.provider } : { ipaddress: host };
  return { [kind.id]: device.id, physicalnetworkid: physicalNetworkId, provider: kind.provider, ...where, ...(parameters as Reply) };
}

/** The device itself is never contacted; everything that it is told is in the query of its url. */
function add(kind: Kind, request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const network = named(request, "physicalnetwork", "physicalnetworkid", "physical network");
  const provider = database.table("provider").find((one) => one.physicalNetworkId === network.id && one.name === kind.provider);
  if (!provider)
    throw failed(
      `Network Service Provider: ${kind.provider} is not enabled in the physical network: ${network.databaseId}to add this device`,
    );
  const url = parameters.url === undefined ? undefined : parsed(parameters.url);
  const host = url?.hostname ?? parameters.hostname ?? "";
  if (database.table("device").some((one) => one.providerId === provider.id && one.host === host))
    throw failed(`A device with address ${host} is already on the physical network ${network.databaseId}`);
  const told = Object.fromEntries([...(url?.searchParams ?? [])].filter(([name]) => /^(public|private|lbdevice|fwdevice|num)/.test(name)));
  const device = database.insert("device", {
    ...{ physicalNetworkId: network.id, providerId: provider.id, kind: kind.key, host },
    parameters: { ...told, ...(parameters.transportzoneuuid ? { transportzoneuuid: parameters.transportzoneuuid } : {}) },
  });
  return { [kind.key]: reply(kind, device) };
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalidValue(`${text} is not a valid uri`);
  }
}

function commandsOf(kind: Kind): [string, Command][] {
  const javaClass = (name: string) => `com.cloud.api.commands.${name[0]?.toUpperCase()}${name.slice(1)}Cmd`;
  const ofKind = (request: Request) => request.cloud.database.table("device").filter((one) => one.kind === kind.key);
  return [
    [kind.add, { job: { class: javaClass(kind.add) }, run: (request) => add(kind, request) }],
    [
      kind.list,
      {
        run(request) {
          const rows = selected(request, ofKind(request), { physicalnetworkid: is("physicalNetworkId"), [kind.id]: is("id") });
          return listReply(
            request,
            kind.key,
            rows.map((device) => reply(kind, device)),
          );
        },
      },
    ],
    [
      kind.remove,
      {
        job: { class: javaClass(kind.remove) },
        run(request) {
          request.cloud.database.remove("device", named(request, "device", kind.id, "device"));
          return { success: true };
        },
      },
    ],
  ];
}

export const networkDeviceCommands: Commands = Object.fromEntries(kinds.flatMap(commandsOf));
