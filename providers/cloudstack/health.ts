import { z } from "zod";
import { type Context, defineResource, errorText, TestbedError, waitFor } from "../kernel/index.ts";
import { Cloud } from "./cloud.ts";
import { type Fault, lookAtZone, StartFailures, type ZoneExpectation, type ZoneHealth } from "./health-look.ts";
import { type CloudServer, objectName, server } from "./inputs.ts";

export interface HealthInputs {
  server: CloudServer;
  zones: ZoneExpectation[];
  plan: string;
  timeoutSeconds: number;
  everySeconds: number;
}

export interface HealthOutputs {
  summary: string;
}

/** How often in a row a fault that does not heal must be seen: a host may be in any state for a moment. */
const CONFIRMATIONS = 2;

/** One look at every zone; a zone that is missing is a fault too. */
export async function lookAtCloud(cloud: Cloud, zones: readonly ZoneExpectation[]): Promise<ZoneHealth[]> {
  return Promise.all(
    zones.map(async (expected) => {
      const zone = await cloud.lookUpZone(expected.name);
      if (zone) return lookAtZone(cloud.client, zone, expected);
      return { zone: expected.name, id: "", faults: [{ text: "the zone does not exist", final: true }], summary: "absent" };
    }),
  );
}

/** What is missing, and for how long. */
class Watch {
  readonly #since = new Map<string, { began: number; looks: number }>();

  update(zones: readonly ZoneHealth[]): void {
    const now = new Set(zones.flatMap(({ zone, faults }) => faults.map(({ text }) => `${zone}: ${text}`)));
    for (const key of this.#since.keys()) if (!now.has(key)) this.#since.delete(key);
    for (const key of now) {
      const known = this.#since.get(key);
      this.#since.set(key, { began: known?.began ?? performance.now(), looks: (known?.looks ?? 0) + 1 });
    }
  }

  isFinal(zone: string, { text, final }: Fault): boolean {
    return final && (this.#since.get(`${zone}: ${text}`)?.looks ?? 0) >= CONFIRMATIONS;
  }

  text(zones: readonly ZoneHealth[]): string {
    const line = (zone: string, { text }: Fault) => {
      const began = this.#since.get(`${zone}: ${text}`)?.began ?? performance.now();
      return `${text} (for ${Math.round((performance.now() - began) / 1000)} s)`;
    };
    return zones
      .filter(({ faults }) => faults.length > 0)
      .map(({ zone, faults }) => `zone ${zone}: ${faults.map((one) => line(zone, one)).join("; ")}`)
      .join(" | ");
  }
}

export const summaryOf = (zones: readonly ZoneHealth[]) => zones.map(({ zone, summary }) => `zone ${zone}: ${summary}`).join("; ");

/** Waits until everything is healthy; red as soon as something is seen that does not heal. */
export async function waitForHealth(context: Context, inputs: HealthInputs): Promise<ZoneHealth[]> {
  const cloud = await Cloud.of(context, inputs.server);
  const { system } = cloud.client;
  const [watch, failures] = [new Watch(), new StartFailures()];
  const object = `zones ${inputs.zones.map((one) => one.name).join(", ")}`;
  const { timeoutSeconds, everySeconds } = inputs;
  const remedy = "see the management server's log and `testbed health`; raise `timeoutSeconds` if it only needs longer";
  let shown = "";
  return waitFor<ZoneHealth[]>("the cloud to be healthy", context, { timeoutSeconds, everySeconds, object, system, remedy }, async () => {
    const zones = await lookAtCloud(cloud, inputs.zones);
    if (zones.every((one) => one.faults.length === 0)) return { done: zones };
    await failures.look(cloud.client);
    const all = zones.map((one) => ({ ...one, faults: [...one.faults, ...failures.faults(one.zone)] }));
    watch.update(all);
    const text = watch.text(all);
    const again = failures.faults.bind(failures);
    if (all.some(({ zone, faults }) => faults.some((one) => watch.isFinal(zone, one) || again(zone).length > 0)))
      throw new TestbedError({
        ...{ system, object, kind: "refused", code: "unhealthy" },
        message: text,
        remedy: "mend what is named, then run `pulumi up --refresh`: drift is healed, and the gate is asked again",
      });
    const plain = all.map((one) => one.faults.map((fault) => fault.text).join()).join();
    if (plain !== shown) context.phase(`waiting: ${text}`);
    shown = plain;
    return { seen: text };
  });
}

export const health = defineResource<HealthInputs, HealthOutputs>({
  type: "cloudstack:Health",
  summary:
    "The gate: every declared host up and enabled, every pool up, system VMs running with their agents up, a built-in template ready, in each zone.",
  inputs: z.object({
    ...server,
    zones: z
      .array(
        z.object({
          name: objectName.describe("Name of the zone."),
          hosts: z.array(z.string()).default([]).describe("Ids of its declared hosts; none: every host that it has."),
          pools: z.array(z.string()).default([]).describe("Ids of its declared storage pools; none: every pool that it has."),
        }),
      )
      .min(1)
      .describe("What must be healthy."),
    plan: z.string().default("").describe("Fingerprint of all that makes up the cloud: a change calls for another look."),
    timeoutSeconds: z
      .number()
      .int()
      .positive()
      .default(3600)
      .describe("Limit of the wait: system VMs take minutes, a built-in template up to half an hour."),
    everySeconds: z.number().positive().default(2).describe("Time between two looks."),
  }),
  outputs: { summary: "What was seen, per zone." },
  replaceOn: [],
  deadlineSeconds: 4200,
  id: (inputs) => `health/${inputs.server.address}`,
  async observe(context, inputs, previous) {
    if (context.operation !== "read" || previous?.summary === undefined) return undefined;
    const { summary } = previous;
    try {
      const zones = await lookAtCloud(await Cloud.of(context, inputs.server), inputs.zones);
      const faults = zones.flatMap(({ zone, faults: found }) => found.map(({ text }) => `zone ${zone}: ${text}`));
      // Drift, so that the next `up` asks the gate again.
      return { inputs: faults.length > 0 ? { plan: `unhealthy: ${faults.join("; ")}` } : {}, outputs: { summary } };
    } catch (error) {
      if (!(error instanceof TestbedError) || error.kind !== "unreachable") throw error;
      context.warn(`cannot be looked at (${errorText(error)}); what was seen last stays`);
      return { inputs: {}, outputs: { summary } };
    }
  },
  async reconcile(context, inputs) {
    return { summary: summaryOf(await waitForHealth(context, inputs)) };
  },
  /** Nothing: a look leaves nothing behind. */
  async remove() {},
});
