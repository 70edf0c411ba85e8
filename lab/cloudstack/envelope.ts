import type { ApiFault } from "./errors.ts";

export type Format = "json" | "xml";
/** What stands inside an envelope. */
export type Reply = Record<string, unknown>;

export const RELEASE = "4.20.3.0";

/** Wrappers that are not `<command in lower case>response`. */
const wrappers: Record<string, string> = {
  enableStorageMaintenance: "prepareprimarystorageformaintenanceresponse",
  cancelStorageMaintenance: "cancelprimarystoragemaintenanceresponse",
  updateImageStore: "updateImageStoreresponse",
  listSecondaryStagingStores: "listsecondarystagingstoreresponse",
  configureSimulator: "simulatormock",
  querySimulatorMock: "simulatormock",
};

export function wrapper(command: string): string {
  return wrappers[command] ?? `${command.toLowerCase()}response`;
}

/** A detail of the server's own that its errors leak. */
const SERIAL_VERSION = Number("-7514266713085362352");

export function faultReply(fault: ApiFault): Reply {
  const code = fault.cserrorcode === undefined ? {} : { cserrorcode: fault.cserrorcode };
  const uuidList = fault.objects.map((object) => ({ serialVersionUID: SERIAL_VERSION, ...object }));
  return { uuidList, errorcode: fault.errorcode, ...code, errortext: fault.message };
}

export function render(format: Format, name: string, reply: Reply): string {
  if (format === "json") return JSON.stringify({ [name]: reply });
  return `<?xml version="1.0" encoding="UTF-8"?><${name} cloud-stack-version="${RELEASE}">${xmlFields(reply)}</${name}>`;
}

function xmlFields(fields: Reply): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => xmlField(name, value))
    .join("");
}

/** A list is its elements, each under the list's name: an empty one leaves no trace. */
function xmlField(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => xmlField(name, one)).join("");
  const inner = typeof value === "object" && value !== null ? xmlFields(value as Reply) : xmlText(String(value));
  return `<${name}>${inner}</${name}>`;
}

function xmlText(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
  return text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
