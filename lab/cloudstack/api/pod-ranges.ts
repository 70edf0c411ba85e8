import type { Range } from "../addresses.ts";
import type { Commands, Request } from "../command.ts";
import type { Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { failed, invalidValue } from "../errors.ts";
import { named, shownPod } from "../objects.ts";
import { type PodRange, podReply } from "./pods.ts";

const CLASSES = "org.apache.cloudstack.api.command.admin.network.";

function create(request: Request): Reply {
  const { cloud, parameters } = request;
  const pod = named(request, "pod", "podid");
  const { gateway, startip = "", endip = startip, forsystemvms, vlan } = parameters;
  if (gateway !== pod.gateway)
    throw invalidValue(
      `Multiple gateways for the POD: ${shownPod(pod)} are not allowed. The Gateway should be same as the existing Gateway ${pod.gateway}`,
    );
  const range: PodRange = { startip, endip, forsystemvms: forsystemvms === "true" ? "1" : "0", vlanid: `vlan://${vlan ?? "untagged"}` };
  cloud.database.update(pod, { ranges: [...(pod.ranges as PodRange[]), range] });
  return { pod: podReply(cloud.database, pod) };
}

function find(pod: Row, { startip, endip }: Range, shown: string): PodRange {
  const range = (pod.ranges as PodRange[]).find((one) => one.startip === startip && one.endip === endip);
  if (!range) throw failed(`The input IP range: ${startip}-${endip} of pod: ${shown} not present. Please input an existing range.`);
  return range;
}

function update(request: Request): Reply {
  const { currentstartip = "", currentendip = "", newstartip = currentstartip, newendip = currentendip } = request.parameters;
  const pod = named(request, "pod", "podid");
  const range = find(pod, { startip: currentstartip, endip: currentendip }, `${pod.databaseId} is`);
  const ranges = (pod.ranges as PodRange[]).map((one) => (one === range ? { ...one, startip: newstartip, endip: newendip } : one));
  request.cloud.database.update(pod, { ranges });
  return { success: true };
}

function remove(request: Request): Reply {
  const { startip = "", endip = "" } = request.parameters;
  const pod = named(request, "pod", "podid");
  const range = find(pod, { startip, endip }, `${shownPod(pod)}is`);
  request.cloud.database.update(pod, { ranges: (pod.ranges as PodRange[]).filter((one) => one !== range) });
  return { success: true };
}

/** A pod's private addresses beyond those that it was made with. */
export const podRangeCommands: Commands = {
  createManagementNetworkIpRange: { job: { class: `${CLASSES}CreateManagementNetworkIpRangeCmd` }, run: create },
  updatePodManagementNetworkIpRange: { job: { class: `${CLASSES}UpdatePodManagementNetworkIpRangeCmd` }, run: update },
  deleteManagementNetworkIpRange: { job: { class: `${CLASSES}DeleteManagementNetworkIpRangeCmd` }, run: remove },
};
