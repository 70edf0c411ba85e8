import type { Database, Row } from "./database.ts";
import { timeText } from "./database.ts";

/** The networks that a zone has of itself: only `listNetworks issystem=true` shows them. */
const kinds: [traffictype: string, broadcast: string, specifyipranges: boolean][] = [
  ["Public", "Vlan", true],
  ["Management", "Native", false],
  ["Control", "LinkLocal", false],
  ["Storage", "Native", true],
];

export function addSystemNetworks(database: Database, zone: Row): void {
  // Public traffic of an advanced zone with security groups goes over its shared guest network.
  const hasPublic = zone.networkType === "Basic" || zone.securityGroups !== true;
  for (const [traffictype, broadcast, specifyipranges] of kinds.filter(([type]) => hasPublic || type !== "Public"))
    database.insert("network", {
      ...{ zoneId: zone.id, isSystem: true, traffictype, broadcast, specifyipranges, created: timeText() },
    });
}
