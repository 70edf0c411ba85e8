/** What a management server can be told to do wrong. Those without a count stay until cleared. */
export const cloudFaults = {
  "cloud-never-up": "the management server starts, and never gets to the point of listening",
  "cloud-no-api": "port 8080 of the management server never listens",
  "cloud-no-open-port": "port 8096 of the management server never listens",
  "cloud-no-database": "port 3306 of the management server does not listen",
  "cloud-restarts": "the management server restarts when its next call comes",
  "cloud-401": "every signed or session call is answered by 401, whoever makes it",
  "cloud-429": "the next calls are answered by 429, as by its own throttling (count, default: until cleared)",
  "cloud-cuts": "the connection of the next calls is cut in the middle of the reply (count, default: until cleared)",
  "cloud-job-fails": "the next jobs fail (count, default: until cleared)",
  "cloud-job-never-ends": "the next jobs go on for ever (count, default: until cleared)",
  "cloud-job-slow": "the next jobs take two minutes (count, default: until cleared)",
  "cloud-host-refused": "the next hosts cannot be added: the server finds nothing at their address (count, default: until cleared)",
  "cloud-host-alert": "the next hosts fail while they are added, and stay behind in Alert (count, default: until cleared)",
  "cloud-host-flaps": "hosts lose their connection and get it again, for ever",
  "cloud-pool-refused": "the next storage pools cannot be made on their hosts (count, default: until cleared)",
  "cloud-systemvms-fail": "instances do not start: system VMs are made, started, stopped and made again (count, default: until cleared)",
  "cloud-no-agent": "the agents of system VMs that start from now on never connect",
  "cloud-template-fails": "templates that are downloaded from now on end in an error",
  "cloud-5xx": "the next calls of the management server are answered by 503 (count, default: until cleared)",
} as const;
export type CloudFault = keyof typeof cloudFaults;

/** Active faults by remaining count. */
export type ActiveFaults = Map<CloudFault, number>;

export const faultOfPort: Record<number, CloudFault> = { 3306: "cloud-no-database", 8080: "cloud-no-api", 8096: "cloud-no-open-port" };

/** Uses up one count of a fault; true when it was active. */
export function take(faults: ActiveFaults, fault: CloudFault): boolean {
  const left = faults.get(fault);
  if (left === undefined) return false;
  if (left <= 1) faults.delete(fault);
  else faults.set(fault, left - 1);
  return true;
}
