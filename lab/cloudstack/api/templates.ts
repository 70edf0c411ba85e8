import { type Commands, listReply, type Request } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { malformed } from "../errors.ts";
import { childrenOf, selected } from "../objects.ts";

const filters = ["featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "all", "shared"];
const BYTES = 2 ** 31;

function copiesOf(database: Database, template: Row, zone: Row): Row[] {
  return childrenOf(database, "templatecopy", "templateId", template).filter(
    (copy) => copy.zoneId === zone.id && !database.isRemoved("imagestore", database.find(copy.storeId) as Row),
  );
}

function statusOf(copy: Row): string {
  if (copy.error) return String(copy.error);
  return copy.percent === 100 ? "Download Complete" : `${copy.percent}% Downloaded`;
}

function downloads(database: Database, copies: readonly Row[], template: Row, zone: Row): Reply[] {
  const inStores = copies.map((copy) => ({
    downloadState: copy.error ? "DOWNLOAD_ERROR" : copy.percent === 100 ? "DOWNLOADED" : "DOWNLOAD_IN_PROGRESS",
    datastore: database.find(copy.storeId)?.name,
    datastoreRole: "Image",
    downloadPercent: String(copy.percent),
    datastoreId: copy.storeId,
  }));
  const used = database
    .table("volume")
    .filter((volume) => database.find(volume.instanceId)?.templateId === template.id && volume.zoneId === zone.id);
  const pools = [...new Set(used.map((volume) => volume.poolId))].flatMap((id) => database.find(id) ?? []);
  const inPools = pools.map((pool) => ({
    downloadState: "DOWNLOADED",
    datastore: pool.name,
    datastoreRole: "Primary",
    downloadPercent: "100",
    datastoreId: pool.id,
  }));
  return [...inStores, ...inPools];
}

/** Sizes are known from when an agent has looked into the store. */
function sizes(database: Database, zone: Row): Reply {
  const looked = database.table("host").some((host) => host.zoneId === zone.id && host.type === "SecondaryStorageVM");
  return looked ? { size: BYTES, physicalsize: BYTES } : {};
}

function templateReply(database: Database, template: Row, zone: Row, copies: readonly Row[]): Reply {
  const isSystem = template.type === "SYSTEM";
  const domain = database.table("domain")[0] as Row;
  const best = copies.find((copy) => copy.percent === 100) ?? (copies[0] as Row);
  return {
    id: template.id,
    name: template.name,
    displaytext: template.name,
    ispublic: !isSystem,
    created: template.created,
    isready: best.percent === 100 && !best.error,
    passwordenabled: false,
    format: template.format,
    isfeatured: !isSystem,
    crossZones: true,
    ostypeid: template.osTypeId,
    ostypename: template.os,
    account: "system",
    zoneid: zone.id,
    zonename: zone.name,
    status: statusOf(best),
    ...(best.percent === 100 ? sizes(database, zone) : {}),
    templatetype: template.type,
    hypervisor: template.hypervisor,
    domain: "ROOT",
    domainpath: "/",
    domainid: domain.id,
    isextractable: false,
    checksum: "",
    details: {},
    downloaddetails: downloads(database, copies, template, zone),
    arch: "x86_64",
    bits: 0,
    sshkeyenabled: false,
    isdynamicallyscalable: false,
    directdownload: false,
    deployasis: false,
    requireshvm: false,
    url: template.url,
    tags: [],
    hasannotations: false,
  };
}

function listTemplates(request: Request): Reply {
  const { database } = request.cloud;
  const { templatefilter = "", zoneid, templatetype, isready } = request.parameters;
  if (!filters.includes(templatefilter))
    throw malformed(`No enum constant com.cloud.template.VirtualMachineTemplate.TemplateFilter.${templatefilter}`);
  // What belongs to the account itself: built-in and system templates belong to that of the open port.
  const own = request.caller.account.name === "system";
  const shown = (template: Row) => {
    if (templatefilter === "all") return true;
    if (templatefilter === "self") return own;
    if (templatefilter === "selfexecutable") return own && template.type !== "SYSTEM";
    if (templatefilter === "executable") return own || template.type !== "SYSTEM";
    return templatefilter === "featured" && template.type !== "SYSTEM";
  };
  const templates = selected(request, database.table("template"), { zoneid: () => true }).filter(shown);
  const rows = templates.flatMap((template) =>
    database.table("zone").flatMap((zone) => {
      const copies = zoneid === undefined || zoneid === zone.id ? copiesOf(database, template, zone) : [];
      return copies.length === 0 ? [] : [templateReply(database, template, zone, copies)];
    }),
  );
  const wanted = rows.filter(
    (row) =>
      (templatetype === undefined || String(row.templatetype).toLowerCase() === templatetype.toLowerCase()) &&
      (isready === undefined || String(row.isready) === isready) &&
      (request.parameters.hypervisor === undefined || String(row.hypervisor).toLowerCase() === request.parameters.hypervisor.toLowerCase()),
  );
  return listReply(request, "template", wanted);
}

export const templateCommands: Commands = {
  listTemplates: { forUsers: true, run: listTemplates },
};
