import { randomUUID } from "node:crypto";
import type { Cloud } from "./cloud.ts";
import { type Database, type Row, timeText } from "./database.ts";
import { childrenOf } from "./objects.ts";

/** A template that every database has, by hypervisor. */
const kinds = [
  { type: "SYSTEM", hypervisor: "Simulator", name: "SystemVM Template (simulator)", format: "VHD", os: "Debian GNU/Linux 5.0 (64-bit)" },
  { type: "BUILTIN", hypervisor: "Simulator", name: "CentOS 5.6 (64-bit) no GUI (Simulator)", format: "VHD", os: "CentOS 5.6 (64-bit)" },
  { type: "SYSTEM", hypervisor: "XenServer", name: "SystemVM Template (XenServer)", format: "VHD", os: "Debian GNU/Linux 12 (64-bit)" },
  { type: "BUILTIN", hypervisor: "XenServer", name: "CentOS 5.6(64-bit) no GUI (XenServer)", format: "VHD", os: "CentOS 5.6 (64-bit)" },
  { type: "SYSTEM", hypervisor: "KVM", name: "SystemVM Template (KVM)", format: "QCOW2", os: "Debian GNU/Linux 12 (64-bit)" },
  { type: "BUILTIN", hypervisor: "KVM", name: "CentOS 5.5(64-bit) no GUI (KVM)", format: "QCOW2", os: "CentOS 5.5 (64-bit)" },
  { type: "SYSTEM", hypervisor: "VMware", name: "SystemVM Template (vSphere)", format: "OVA", os: "Debian GNU/Linux 12 (64-bit)" },
  { type: "BUILTIN", hypervisor: "VMware", name: "CentOS 5.3(64-bit) no GUI (vSphere)", format: "OVA", os: "CentOS 5.3 (64-bit)" },
  { type: "SYSTEM", hypervisor: "Hyperv", name: "SystemVM Template (HyperV)", format: "VHD", os: "Debian GNU/Linux 12 (64-bit)" },
  { type: "BUILTIN", hypervisor: "Hyperv", name: "CentOS 6.4(64-bit) GUI (Hyperv)", format: "VHD", os: "CentOS 6.4 (64-bit)" },
  { type: "SYSTEM", hypervisor: "LXC", name: "SystemVM Template (LXC)", format: "QCOW2", os: "Debian GNU/Linux 12 (64-bit)" },
];

const urls: Record<string, string> = {
  "SystemVM Template (simulator)": "http://nfs1.lab.vmops.com/templates/routing/debian/latest/systemvm.vhd.bz2",
  "CentOS 5.6 (64-bit) no GUI (Simulator)":
    "http://nfs1.lab.vmops.com/templates/centos53-x86_64/latest/f59f18fb-ae94-4f97-afd2-f84755767aca.vhd.bz2",
};

export function seedTemplates(database: Database): void {
  for (const kind of kinds) {
    const file = kind.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    const url = urls[kind.name] ?? `http://download.cloudstack.org/templates/${file}.${kind.format.toLowerCase()}.bz2`;
    database.insert("template", { ...kind, url, osTypeId: randomUUID(), created: timeText() });
  }
}

/** Copies of a zone's templates in its image stores. */
const copiesIn = (database: Database, zone: Row) => childrenOf(database, "templatecopy", "zoneId", zone);

/** The system template of a hypervisor, when a store of the zone has it. */
export function systemTemplate(database: Database, zone: Row, hypervisor: string): Row | undefined {
  const copy = copiesIn(database, zone).find((one) => {
    const template = database.find(one.templateId);
    return template?.type === "SYSTEM" && template.hypervisor === hypervisor && one.percent === 100;
  });
  return copy && database.find(copy.templateId);
}

/**
 * System templates are in an NFS store as soon as the store is there, for the hypervisors of the zone's clusters; built-in ones have to be
 * downloaded, except those of the simulator.
 */
export function registerTemplates(cloud: Cloud, zone: Row): void {
  const { database } = cloud;
  const hypervisors = new Set(childrenOf(database, "cluster", "zoneId", zone).map((cluster) => cluster.hypervisor));
  const stores = database.table("imagestore").filter((store) => (store.zoneId ?? zone.id) === zone.id);
  for (const store of stores)
    for (const template of database.table("template"))
      if (hypervisors.has(template.hypervisor)) {
        const isThere = copiesIn(database, zone).some((copy) => copy.templateId === template.id && copy.storeId === store.id);
        const ready = template.type === "SYSTEM" || template.hypervisor === "Simulator";
        if (!isThere)
          database.insert("templatecopy", {
            templateId: template.id,
            storeId: store.id,
            zoneId: zone.id,
            percent: ready ? 100 : 0,
            created: timeText(),
          });
      }
}

/** Of a real one over a fast line; it comes in tenths. */
const DOWNLOAD_SECONDS = 120;

/** What the agent of a secondary storage VM begins to do when it is up. */
export function startDownloads(cloud: Cloud, zone: Row): void {
  registerTemplates(cloud, zone);
  for (const copy of copiesIn(cloud.database, zone)) if (copy.percent !== 100 && !copy.downloading) download(cloud, copy);
}

function download(cloud: Cloud, copy: Row): void {
  const { database } = cloud;
  database.update(copy, { downloading: true });
  const step = () => {
    if (database.isRemoved("templatecopy", copy)) return;
    database.update(copy, { percent: Number(copy.percent) + 10 });
    if (copy.percent === 100) database.update(copy, { downloading: undefined });
    else cloud.after(DOWNLOAD_SECONDS / 10, step);
  };
  cloud.after(DOWNLOAD_SECONDS / 10, step);
}

/** A server that starts begins downloads anew. */
export function resetDownloads(database: Database): void {
  for (const copy of database.table("templatecopy")) if (copy.downloading) database.update(copy, { downloading: undefined });
}
