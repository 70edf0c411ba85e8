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
  for (const [traffictype, broadcast, specifyipranges] of kinds)
    database.insert("network", {
      ...{ zoneId: zone.id, isSystem: true, traffictype, broadcast, specifyipranges, created: timeText() },
    });
}
