import {
  isAddress,
  isInRange,
  isInSubnet,
  lastAddress,
  overlap,
  prefixLength,
  type Range,
  type Subnet,
  subnetsOverlap,
} from "../addresses.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue, unexpected } from "../errors.ts";
import { childrenOf, is, isSet, named, place, removable, selected, shownZone } from "../objects.ts";
import { privateAddresses } from "../usage.ts";
import { capacityOf } from "./capacity.ts";
import { allocationState } from "./zones.ts";

export interface PodRange extends Range {
  forsystemvms: string;
  vlanid: string;
}

export function podReply(database: Database, pod: Row, withCapacity = false): Reply {
  const ranges = pod.ranges as PodRange[];
  const each = (field: keyof PodRange) => ranges.map((range) => range[field]);
  return {
    id: pod.id,
    name: pod.name,
    ...place(database, pod, "zone"),
    gateway: pod.gateway,
    netmask: pod.netmask,
    ipranges: ranges,
    ...{ startip: each("startip"), endip: each("endip"), forsystemvms: each("forsystemvms"), vlanid: each("vlanid") },
    allocationstate: pod.allocationState,
    ...(withCapacity ? { capacity: capacityOf(database, { pod }) } : {}),
    hasannotations: false,
  };
}

function checkShape({ netmask, startip, endip }: Record<string, string>): void {
  if (prefixLength(netmask) === undefined) throw invalidValue("The netmask is invalid");
  if (!isAddress(startip)) throw invalidValue("The start IP is invalid");
  if (endip && !isAddress(endip)) throw invalidValue("The end IP is invalid");
}

function checkRange(subnet: Subnet, range: Range): void {
  if (!isInSubnet(range.startip, subnet.gateway, subnet.netmask))
    throw invalidValue("The start address of the IP range is not in the CIDR subnet.");
  if (!isInSubnet(range.endip, subnet.gateway, subnet.netmask))
    throw invalidValue("The end address of the IP range is not in the CIDR subnet.");
  if (!overlap({ startip: range.startip, endip: range.startip }, { startip: "0.0.0.0", endip: range.endip }))
    throw invalidValue("The start IP address must have a lower value than the end IP address.");
  if (isInRange(subnet.gateway, range)) throw invalidValue("The gateway shouldn't overlap start/end IP addresses");
}

function checkOthers(request: Request, zone: Row, subnet: Subnet, range: Range): void {
  const { cloud } = request;
  const { database } = cloud;
  const others = database.table("pod").filter((pod) => pod.zoneId === zone.id);
  const conflict = others.find((pod) => subnetsOverlap(subnet, pod as unknown as Subnet));
  if (conflict && cloud.loaded("check.pod.cidrs") !== "false")
    throw invalidValue(
      `The subnet of the pod you are adding conflicts with the subnet of pod ${conflict.name} in zone ${zone.name}. Please specify a different CIDR.`,
    );
  const taken = database.table("vlan").find((vlan) => vlan.zoneId === zone.id && overlap(range, vlan as unknown as Range));
  if (taken) throw invalidValue(`The Start IP and endIP address range overlap with Public IP :${range.startip}`);
}

async function createPod(request: Request): Promise<Reply> {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const zone = named(request, "zone", "zoneid");
  const { name, gateway = "", netmask = "", startip = "", endip = lastAddress(gateway, netmask) } = parameters;
  const state = allocationState(parameters.allocationstate) ?? "Enabled";
  if (childrenOf(database, "pod", "zoneId", zone).some((pod) => pod.name === name))
    throw invalidValue(`A pod with name: ${name} already exists in zone ${shownZone(zone)}. Please specify a different pod name. `);
  checkShape(parameters);
  checkRange({ gateway, netmask }, { startip, endip });
  checkOthers(request, zone, { gateway, netmask }, { startip, endip });
  // Identical calls at one moment all come this far: the others lose at the database (cloudstack-observed facts 56).
  await cloud.pause(CREATION_SECONDS);
  if (childrenOf(database, "pod", "zoneId", zone).some((pod) => pod.name === name)) throw unexpected("Entity already exists ");
  const ranges: PodRange[] = [{ startip, endip, forsystemvms: "0", vlanid: "vlan://untagged" }];
  const pod = database.insert("pod", { name, zoneId: zone.id, gateway, netmask, ranges, allocationState: state });
  return { pod: podReply(database, pod) };
}

/** One row for each address is what takes that long. */
const CREATION_SECONDS = 0.9;

function updatePod(request: Request): Reply {
  const { database } = request.cloud;
  const pod = named(request, "pod");
  const { name, gateway = String(pod.gateway), netmask = String(pod.netmask) } = request.parameters;
  const state = allocationState(request.parameters.allocationstate);
  if (prefixLength(netmask) === undefined) throw invalidValue("The netmask is invalid");
  if ((pod.ranges as PodRange[]).some((range) => !isInSubnet(range.startip, gateway, netmask)))
    throw invalidValue("The start address of the some IP range is not in the CIDR subnet.");
  const narrower = (prefixLength(netmask) as number) > (prefixLength(String(pod.netmask)) as number);
  if (narrower && privateAddresses(database, pod).size > 0)
    throw failed("The specified pod has allocated private IP addresses, so its IP address range can be extended only");
  // startip and endip are not looked at (cloudstack-observed facts 41).
  database.update(pod, {
    ...(name === undefined ? {} : { name }),
    gateway,
    netmask,
    ...(state ? { allocationState: state } : {}),
  });
  return { pod: podReply(database, pod) };
}

function deletePod(request: Request): Reply {
  const { database } = request.cloud;
  const pod = removable(request, "pod", (number) => invalidValue(`A pod with ID: ${number} does not exist.`));
  const cannot = (because: string) => failed(`The pod cannot be deleted because there are ${because}`);
  if (privateAddresses(database, pod).size > 0) throw cannot("private IP addresses allocated in this pod.");
  if (childrenOf(database, "host", "podId", pod).length > 0) throw cannot("servers in this pod.");
  if (childrenOf(database, "instance", "podId", pod).length > 0) throw cannot("virtual machines in this pod.");
  if (childrenOf(database, "cluster", "podId", pod).length > 0) throw cannot("clusters in this pod.");
  for (const vlan of childrenOf(database, "vlan", "podId", pod)) database.remove("vlan", vlan);
  database.remove("pod", pod);
  return { success: true };
}

export const podCommands: Commands = {
  listPods: {
    run(request) {
      const { database } = request.cloud;
      const rows = selected(request, database.table("pod"), { allocationstate: is("allocationState"), podid: () => true });
      const withCapacity = isSet(request.parameters.showcapacities);
      return listReply(
        request,
        "pod",
        rows.map((pod) => podReply(database, pod, withCapacity)),
      );
    },
  },
  createPod: { run: createPod },
  updatePod: { run: updatePod },
  deletePod: { run: deletePod },
};
