/** What a management server can be told to do wrong. Those without a count stay until cleared. */
export const cloudFaults = {
  "cloud-never-up": "the management server starts, and never gets to the point of listening",
  "cloud-no-api": "port 8080 of the management server never listens",
  "cloud-no-open-port": "port 8096 of the management server never listens",
  "cloud-no-database": "port 3306 of the management server does not listen",
  "cloud-restarts": "the management server restarts when its next call comes",
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
