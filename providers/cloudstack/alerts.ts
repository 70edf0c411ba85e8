import { errorText } from "../kernel/index.ts";
import type { CloudStackClient } from "./client.ts";

export interface Alert {
  id: string;
  type: number;
  name?: string;
  description: string;
  sent: string;
}

/** Looked at for an error's text: alerts of weeks are of no use there. */
const LATEST = 50;

/** The latest alerts, newest first. */
export async function latestAlerts(client: CloudStackClient): Promise<Alert[]> {
  const reply = await client.read("listAlerts", { page: "1", pagesize: String(LATEST) });
  return (reply.alert ?? []) as Alert[];
}

/** What the server itself says about an object, for an error; never fails. */
export async function alertsAbout(client: CloudStackClient, name: string): Promise<string> {
  try {
    const found = (await latestAlerts(client)).filter((one) => one.description.includes(name)).slice(0, 2);
    return found.length > 0 ? `the server's alerts: ${found.map((one) => one.description).join("; ")}` : "the server has no alert about it";
  } catch (error) {
    return `its alerts cannot be read: ${errorText(error)}`;
  }
}
