import { randomUUID } from "node:crypto";
import { isAddress } from "../addresses.ts";
import type { Cloud } from "../cloud.ts";
import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { invalidValue } from "../errors.ts";
import { childrenOf, is, isSet, keyedDetails, named, selected } from "../objects.ts";
import { addSystemNetworks } from "../system-networks.ts";
import { scanSoon } from "../system-vms.ts";
import { addStorageTrafficType } from "../traffic.ts";
import { capacityOf } from "./capacity.ts";

const definedOnly = (fields: Reply = {}) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

export function zoneReply(database: Database, zone: Row, withCapacity = false): Reply {
  const details = { ...(zone.details as Record<string, string>), ...definedOnly(zone.settings as Reply) };
  return {
    id: zone.id,
    name: zone.name,
    ...(zone.fields as Reply),
    networktype: zone.networkType,
    securitygroupsenabled: zone.securityGroups,
    allocationstate: zone.allocationState,
    zonetoken: zone.token,
    dhcpprovider: zone.dhcpProvider ?? "VirtualRouter",
    localstorageenabled: zone.localStorage,
    ...(withCapacity ? { capacity: capacityOf(database, { zone }) } : {}),
    tags: [],
    ...(Object.keys(details).length > 0 ? { resourcedetails: details } : {}),
    allowuserspecifyvrmtu: false,
    routerprivateinterfacemaxmtu: 1500,
    routerpublicinterfacemaxmtu: 1500,
    type: "Core",
    isnsxenabled: false,
    ismultiarch: false,
    asnrange: "",
    routedmodeenabled: true,
    hasannotations: false,
  };
}

/** Parameters that are kept and shown as they are. */
const plainFields = ["dns1", "dns2", "internaldns1", "internaldns2", "guestcidraddress", "domain", "ip6dns1", "ip6dns2"];

export function allocationState(value: string | undefined): string | undefined {
  if (value === undefined || value === "Enabled" || value === "Disabled") return value;
  throw invalidValue(`Unable to resolve Allocation State '${value}' to a supported state`);
}

function checkFields(database: Database, parameters: Record<string, string>, zone?: Row): void {
  const { name, guestcidraddress, domain } = parameters;
  const same = database.table("zone").find((one) => String(one.name).toLowerCase() === name?.toLowerCase());
  if (same && same !== zone) throw invalidValue("A zone with that name already exists. Please specify a unique zone name.");
  for (const [field, shown] of [
    ["dns1", "DNS1"],
    ["dns2", "DNS2"],
    ["internaldns1", "internal DNS1"],
    ["internaldns2", "internal DNS2"],
  ] as const)
    if (parameters[field] && !isAddress(parameters[field])) throw invalidValue(`Please enter a valid IP address for ${shown}`);
  if (guestcidraddress && !isGuestCidr(guestcidraddress)) throw invalidValue("Please enter a valid guest cidr");
  if (domain && (domain.length > 190 || !domain.split(".").every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label))))
    throw invalidValue(
      "Invalid network domain. Total length shouldn't exceed 190 chars. Each domain label must be between 1 and 63 characters long, can contain " +
        "ASCII letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-'); can't start or end with \"-\"",
    );
}

/** Only the private blocks of RFC 1918 are taken. */
function isGuestCidr(text: string): boolean {
  const [address = "", prefix = ""] = text.split("/");
  const isPrivate = /^10\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\./.test(address);
  return isAddress(address) && /^\d+$/.test(prefix) && Number(prefix) <= 32 && isPrivate;
}

function createZone({ cloud: { database }, parameters }: Request): Reply {
  const { name, networktype = "" } = parameters;
  const networkType = { basic: "Basic", advanced: "Advanced" }[networktype.toLowerCase()];
  if (!networkType) throw invalidValue("Invalid zone type; only Advanced and Basic values are supported");
  if (networkType === "Basic" && parameters.guestcidraddress)
    throw invalidValue("guestCidrAddress parameter is not supported for Basic zone");
  checkFields(database, parameters);
  const state = allocationState(parameters.allocationstate) ?? "Disabled";
  const securityGroups = networkType === "Basic" || isSet(parameters.securitygroupenabled);
  const zone = database.insert("zone", {
    ...{ name, networkType, securityGroups, allocationState: state, localStorage: isSet(parameters.localstorageenabled) },
    token: randomUUID().replace(/-4/, "-3"),
    fields: given(parameters),
  });
  addSystemNetworks(database, zone);
  return { zone: zoneReply(database, zone) };
}

function given(parameters: Record<string, string>): Record<string, string> {
  return Object.fromEntries(plainFields.flatMap((field) => (parameters[field] === undefined ? [] : [[field, parameters[field]]])));
}

function updateZone(request: Request): Reply {
  const { cloud, parameters } = request;
  const { database } = cloud;
  const zone = named(request, "zone");
  checkFields(database, parameters, zone);
  const details = keyedDetails(parameters);
  if (!details)
    throw invalidValue(
      "Invalid Zone Detail specified, fields 'key' and 'value' cannot be null, please specify details in the form:  " +
        "details[0].key=XXX&details[0].value=YYY",
    );
  const state = allocationState(parameters.allocationstate);
  const isEnabled = state === "Enabled" && zone.allocationState !== "Enabled";
  if (state === "Enabled") checkEnabling(database, zone);
  database.update(zone, {
    ...(parameters.name === undefined ? {} : { name: parameters.name }),
    ...(state ? { allocationState: state } : {}),
    ...(parameters.localstorageenabled === undefined ? {} : { localStorage: isSet(parameters.localstorageenabled) }),
    ...(parameters.dhcpprovider === undefined ? {} : { dhcpProvider: parameters.dhcpprovider }),
    // Making a zone public takes its domain away (cloudstack-observed facts, updates#25).
    fields: { ...(zone.fields as object), ...given(parameters), ...(isSet(parameters.ispublic) ? { domain: undefined } : {}) },
    details: { ...(zone.details as object), ...details },
  });
  if (isEnabled) afterEnabling(cloud, zone);
  return { zone: zoneReply(database, zone) };
}

/** Until the capacity checker has counted what is in a zone that was enabled (cloudstack-observed facts 28). */
const CAPACITY_SECONDS = 45;

function afterEnabling(cloud: Cloud, zone: Row): void {
  scanSoon(cloud, zone);
  cloud.after(CAPACITY_SECONDS, () => cloud.database.update(zone, { capacityChecked: true }));
}

/** A zone may be enabled with nothing in it, but for its Management and Public traffic; Storage traffic is added (cloudstack-observed facts 23, 27). */
function checkEnabling(database: Database, zone: Row): void {
  const networks = childrenOf(database, "physicalnetwork", "zoneId", zone);
  const carries = (type: string) =>
    networks.find((network) => childrenOf(database, "traffictype", "physicalNetworkId", network).some((one) => one.traffictype === type));
  const missing = (type: string) =>
    invalidValue(
      `Cannot enable this Zone since: Unable to find the default physical network with traffic=${type} in the specified zone id`,
    );
  const management = carries("Management");
  if (!management) throw missing("Management");
  if (zone.networkType === "Advanced" && zone.securityGroups !== true && !carries("Public")) throw missing("Public");
  if (!carries("Storage")) addStorageTrafficType(database, management);
}

export const zoneCommands: Commands = {
  listZones: {
    forUsers: true,
    run(request) {
      const { database } = request.cloud;
      const rows = selected(request, database.table("zone"), { networktype: is("networkType"), zoneid: () => true });
      const withCapacity = isSet(request.parameters.showcapacities);
      return listReply(
        request,
        "zone",
        rows.map((zone) => zoneReply(database, zone, withCapacity)),
      );
    },
  },
  createZone: { run: createZone },
  updateZone: { run: updateZone },
};
