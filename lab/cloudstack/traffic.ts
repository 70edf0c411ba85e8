import type { Database, Row } from "./database.ts";

/** Enabling a zone gives its Management network the Storage traffic that nobody asked for. */
export function addStorageTrafficType(database: Database, physicalNetwork: Row): void {
  database.insert("traffictype", { physicalNetworkId: physicalNetwork.id, traffictype: "Storage", labels: {} });
}
