/** A recorded scenario that is replayed on a server of its own, by its clock. */
export interface Scenario {
  name: string;
  /** What has happened before on that server: calls of other recordings, by their numbers. */
  before: [recording: string, first: number, last: number][];
  /** The system VMs of its zone run when it begins. */
  settled?: true;
  /** A call of another recording that was made while this one was recorded. */
  meanwhile?: { after: number; recording: string; call: number };
  /** Network offerings whose ids the recorder knew from a list that it cut, by name. */
  offerings?: Record<string, string>;
  /** The server is stopped after the first of these calls, and started again after the last. */
  stopped?: [after: number, until: number];
}

/** The recorder had keys of the administrator before it began. */
const keys: Scenario["before"][number] = ["auth", 4, 10];
const advanced: Scenario["before"] = [keys, ["advanced-zone", 1, 73]];

/** A zone was made and deleted. */
const zoneGone: Scenario["before"] = [
  ["duplicates-and-errors", 19, 19],
  ["duplicates-and-errors", 226, 226],
];

const isolated = (id: string) => ({ [id]: "DefaultIsolatedNetworkOfferingWithSourceNatService" });

export const scenarios: Scenario[] = [
  { name: "advanced-zone", before: [keys] },
  {
    name: "health-timeline",
    before: [keys, ["advanced-zone", 1, 72]],
    meanwhile: { after: 10, recording: "advanced-zone", call: 73 },
  },
  { name: "marvin-deploy", before: [] },
  { name: "marvin-deploy-signed", before: [keys] },
  { name: "basic-zone", before: [keys, ...zoneGone] },
  { name: "advanced-sg", before: [keys, ...zoneGone] },
  { name: "advanced-sg-teardown", before: [keys, ...zoneGone, ["advanced-sg", 1, 95]], settled: true },
  { name: "duplicates-and-errors", before: advanced, settled: true },
  { name: "updates", before: advanced, settled: true },
  { name: "add-one", before: advanced, settled: true },
  { name: "teardown", before: advanced, settled: true, offerings: isolated("8953f96a-4583-4ac2-91b9-125015e95df2") },
  { name: "extra", before: advanced, settled: true },
  { name: "faults", before: advanced, settled: true, offerings: isolated("188eb8e6-80cb-469d-a3d1-4143cfa4bc01") },
  { name: "restart-with-a-live-zone", before: advanced, settled: true, stopped: [7, 15] },
];
