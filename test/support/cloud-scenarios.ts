/** A recorded scenario that is replayed on a server of its own, by its clock. */
export interface Scenario {
  name: string;
  /** What has happened before on that server: calls of other recordings, by their numbers. */
  before: [recording: string, first: number, last: number][];
  /** A call of another recording that was made while this one was recorded. */
  meanwhile?: { after: number; recording: string; call: number };
  /** The server is restarted after this call. */
  restartAfter?: number;
}

/** The recorder had keys of the administrator before it began. */
const keys: Scenario["before"][number] = ["auth", 4, 10];
const advanced: Scenario["before"] = [keys, ["advanced-zone", 1, 73]];

/** A zone was made and deleted. */
const zoneGone: Scenario["before"] = [
  ["duplicates-and-errors", 19, 19],
  ["duplicates-and-errors", 226, 226],
];

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
  { name: "advanced-sg-teardown", before: [keys, ...zoneGone, ["advanced-sg", 1, 95]] },
  { name: "duplicates-and-errors", before: advanced },
  { name: "updates", before: advanced },
  { name: "add-one", before: advanced },
  { name: "teardown", before: advanced },
  { name: "extra", before: advanced },
  { name: "faults", before: advanced },
  { name: "restart-with-a-live-zone", before: advanced, restartAfter: 7 },
];
