import type { Cloud } from "./cloud.ts";
import type { Row } from "./database.ts";
import { type CloudFault, take } from "./faults.ts";

/** Where a command of the server's to its hosts goes. */
export interface Place {
  zoneId?: unknown;
  podId?: unknown;
  clusterId?: unknown;
  hostId?: unknown;
}

/** What the lab's faults make fail; the simulator's mocks can name any command. */
const faultOf: Record<string, CloudFault> = {
  CheckNetworkCommand: "cloud-host-alert",
  CreateStoragePoolCommand: "cloud-pool-refused",
  StartCommand: "cloud-systemvms-fail",
};

/** The newest mock of a command that covers the place. */
function mockFor(cloud: Cloud, command: string, place: Place): Row | undefined {
  const covers = (mock: Row) =>
    (["zoneId", "podId", "clusterId", "hostId"] as const).every((field) => mock[field] === undefined || mock[field] === place[field]);
  return [...cloud.database.table("mock")].reverse().find((mock) => mock.name === command && mock.count !== 0 && covers(mock));
}

/** Whether a command to the hosts fails; uses up one count of what makes it. */
export function fails(cloud: Cloud, command: string, place: Place): boolean {
  const fault = faultOf[command];
  if (fault && take(cloud.faults, fault)) return true;
  const mock = mockFor(cloud, command, place);
  if (!mock || !/result:(fail|fault)/.test(String(mock.value))) return false;
  if (typeof mock.count === "number") cloud.database.update(mock, { count: mock.count - 1 });
  return true;
}

/** Seconds by which a command to the hosts is held back. */
export function delay(cloud: Cloud, command: string, place: Place): number {
  const mock = mockFor(cloud, command, place);
  return Number(/wait:(\d+)/.exec(String(mock?.value))?.[1] ?? 0) / 1000;
}
