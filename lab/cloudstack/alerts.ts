import { type Database, type Row, timeText } from "./database.ts";

export function addAlert(database: Database, type: number, name: string, description: string): Row {
  return database.insert("alert", { type, name, description, sent: timeText() });
}

/** What a server says of itself when it starts. */
export function addStartAlerts(database: Database): void {
  if (database.table("alert").length === 0)
    addAlert(database, 14, "ALERT.MANAGEMENT", "Management network CIDR is not configured originally. Set it default to 192.0.2.0/24");
  addAlert(database, 14, "ALERT.MANAGEMENT", "Management server node 127.0.0.1 is up");
}
