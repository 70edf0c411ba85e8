import { randomUUID } from "node:crypto";
import { freeAddress, isAddress, type Range } from "./addresses.ts";
import type { Cloud } from "./cloud.ts";
import { type Row, timeText } from "./database.ts";
import { RELEASE } from "./envelope.ts";
import { privateAddresses } from "./usage.ts";

const GIB = 2 ** 30;

/** What a host is found to be when the server has connected to it. */
export interface FoundHost {
  name: string;
  ipAddress: string;
  cores: number;
  /** MHz of a core. */
  speed: number;
  /** Bytes. */
  memory: number;
  capabilities: string;
  hypervisorVersion: string;
}

/** A host of the simulator keeps nothing of its url but what the last part of the path says of its size (cloudstack-observed facts 25). */
export function simulatedHost(cloud: Cloud, pod: Row, url: URL): FoundHost {
  const settings = new URLSearchParams(decodeURIComponent(url.pathname.split("/").at(-1) ?? ""));
  const free = (pod.ranges as Range[]).map((range) => freeAddress(range, privateAddresses(cloud.database, pod))).find(Boolean);
  return {
    name: `SimulatedAgent.${randomUUID()}`,
    ipAddress: free ?? "0.0.0.0",
    cores: Number(settings.get("cpucore") ?? 4),
    speed: Number(settings.get("cpuspeed") ?? 8000),
    memory: Number(settings.get("memory") ?? 8 * GIB),
    capabilities: "hvm",
    hypervisorVersion: RELEASE,
  };
}

export const isPlainAddress = (host: string) => isAddress(host);

/** Seconds until the first figures of a host's load. */
const MEASURE_SECONDS = 30;

export function insertHost(cloud: Cloud, found: FoundHost, fields: Record<string, unknown>): Row {
  const host = cloud.database.insert("host", {
    ...{ type: "Routing", state: "Up", resourceState: "Enabled", created: timeText(), lastPinged: bootTicks() },
    ...found,
    ...fields,
  });
  cloud.after(MEASURE_SECONDS, () => cloud.database.update(host, { measured: true }));
  return host;
}

/** The server counts in seconds since 1970 where it means milliseconds (cloudstack-observed facts 25). */
export const bootTicks = () => timeText(new Date(Date.now() / 1000));
