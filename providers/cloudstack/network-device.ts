import { z } from "zod";
import { TestbedError } from "../kernel/index.ts";
import type { Cloud } from "./cloud.ts";
import { type CloudServer, physicalNetworkName, server, zoneName } from "./inputs.ts";
import { addProvider, findProvider } from "./network-service-provider.ts";
import { defineCloudObject } from "./object.ts";
import { hasCommand, requireCommand } from "./release.ts";

export interface NetworkDeviceInputs {
  server: CloudServer;
  zone: string;
  physicalNetwork: string;
  provider: "Netscaler" | "F5BigIp" | "JuniperSRX" | "NiciraNvp";
  hostname: string;
  deviceType?: string | undefined;
  parameters: Record<string, string>;
  credential: string;
}

export interface NetworkDeviceOutputs {
  id: string;
}

interface Kind {
  add: string;
  list: string;
  key: string;
  remove: string;
  /** The reply's and the request's name of its id. */
  id: string;
}

const kinds: Record<NetworkDeviceInputs["provider"], Kind> = {
  Netscaler: {
    ...{ add: "addNetscalerLoadBalancer", list: "listNetscalerLoadBalancers", key: "netscalerloadbalancer" },
    ...{ remove: "deleteNetscalerLoadBalancer", id: "lbdeviceid" },
  },
  F5BigIp: {
    ...{ add: "addF5LoadBalancer", list: "listF5LoadBalancers", key: "f5loadbalancer" },
    ...{ remove: "deleteF5LoadBalancer", id: "lbdeviceid" },
  },
  JuniperSRX: { add: "addSrxFirewall", list: "listSrxFirewalls", key: "srxfirewall", remove: "deleteSrxFirewall", id: "fwdeviceid" },
  NiciraNvp: {
    ...{ add: "addNiciraNvpDevice", list: "listNiciraNvpDevices", key: "niciranvpdevice" },
    ...{ remove: "deleteNiciraNvpDevice", id: "nvpdeviceid" },
  },
};

type Row = Record<string, string>;

const place = async (cloud: Cloud, { zone, physicalNetwork }: NetworkDeviceInputs) => ({
  physicalnetworkid: (await cloud.physicalNetwork(zone, physicalNetwork)).id,
});

/** Devices but Nicira's are told everything in the query of an address. */
function parameters(inputs: NetworkDeviceInputs, user: string, password: string): Record<string, string> {
  const { provider, hostname, deviceType } = inputs;
  if (provider === "NiciraNvp") return { hostname, username: user, password, ...inputs.parameters };
  const query = new URLSearchParams(inputs.parameters).toString();
  const url = `http://${hostname}${query ? `?${query}` : ""}`;
  return { url, username: user, password, ...(deviceType ? { networkdevicetype: deviceType } : {}) };
}

export const networkDevice = defineCloudObject<NetworkDeviceInputs, NetworkDeviceOutputs, Row>({
  type: "cloudstack:NetworkDevice",
  summary:
    "An external load balancer or firewall of a physical network. It comes before its provider, which is added here and enabled there.",
  inputs: z.object({
    ...server,
    zone: zoneName,
    physicalNetwork: physicalNetworkName,
    provider: z.enum(["Netscaler", "F5BigIp", "JuniperSRX", "NiciraNvp"]).describe("Provider that it serves."),
    hostname: z.string().min(1).describe("Name or address of the device."),
    deviceType: z.string().min(1).optional().describe("`NetscalerVPXLoadBalancer`, `F5BigIpLoadBalancer`, `JuniperSRXFirewall` ..."),
    parameters: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe("What the device is told besides: `publicinterface`, `privateinterface`, `lbdevicecapacity`, `transportzoneuuid` ..."),
    credential: z.string().default("networkDevices").describe("Name of the credential (`user`, `password`) in the stack configuration."),
  }),
  outputs: { id: "Id on the server." },
  replaceOn: ["zone", "physicalNetwork", "provider", "hostname", "deviceType", "parameters"],
  id: (inputs) => `network-device/${inputs.zone}/${inputs.physicalNetwork}/${inputs.provider}/${inputs.hostname}`,
  title: (inputs) => `${inputs.provider} device ${inputs.hostname}`,
  async find(cloud, inputs) {
    const kind = kinds[inputs.provider];
    const where = await place(cloud, inputs);
    if (!(await hasCommand(cloud.client, kind.list))) return undefined;
    const rows = await cloud.client.list<Row>(kind.list, kind.key, where);
    return rows.find((one) => (one.ipaddress ?? one.hostname) === inputs.hostname);
  },
  async create(cloud, inputs) {
    const { provider, zone, physicalNetwork } = inputs;
    const kind = kinds[provider];
    await requireCommand(cloud.client, kind.add, `${provider} device ${inputs.hostname}`);
    const { user = "", password = "" } = cloud.context.credential(inputs.credential);
    const where = await place(cloud, inputs);
    if (!(await findProvider(cloud, zone, physicalNetwork, provider))) await addProvider(cloud, zone, physicalNetwork, provider);
    await cloud.client.changeAndWait(kind.add, { ...where, ...parameters(inputs, user, password) }, 300);
    return undefined;
  },
  shown: () => ({}),
  made: (row, inputs) => ({ id: row[kinds[inputs.provider].id] ?? "" }),
  async destroy(cloud, state, row) {
    const { remove, id } = kinds[state.provider];
    const value = row[id];
    if (value !== undefined) await cloud.client.changeAndWait(remove, { [id]: value });
    else
      throw new TestbedError({
        system: cloud.client.system,
        object: `${state.provider} device ${state.hostname}`,
        kind: "refused",
        code: "no-id",
        message: `the server lists it without its ${id}`,
        remedy: "delete it by hand",
      });
  },
});
