import { z } from "zod";
import { refuseForeignZone, type ZoneRow } from "./cloud.ts";
import { drainZone } from "./drain.ts";
import { allocation, type CloudServer, server, zoneName } from "./inputs.ts";
import { defineCloudObject } from "./object.ts";

export interface ZoneEnablementInputs {
  server: CloudServer;
  zone: string;
  state: "Enabled" | "Disabled";
  destroyGuests: boolean;
}

export interface ZoneEnablementOutputs {
  id: string;
}

export const zoneEnablement = defineCloudObject<ZoneEnablementInputs, ZoneEnablementOutputs, ZoneRow>({
  type: "cloudstack:ZoneEnablement",
  summary: "A complete zone switched on: its system VMs start. Its removal switches the zone off and removes every VM in it.",
  inputs: z.object({
    ...server,
    zone: zoneName.describe("Name of the zone."),
    state: allocation.describe("Whether VMs may start in it."),
    destroyGuests: z
      .boolean()
      .default(false)
      .describe(
        "Whether the removal may destroy users' VMs, networks and volumes that are still there. Otherwise it is refused, and names them.",
      ),
  }),
  outputs: { id: "Id of the zone on the server." },
  replaceOn: ["zone"],
  deadlineSeconds: 1800,
  id: (inputs) => `zone-enablement/${inputs.zone}`,
  title: (inputs) => `zone ${inputs.zone}`,
  find: (cloud, inputs) => cloud.lookUpZone(inputs.zone),
  async refuse(cloud, _, row) {
    // Also one that is not finished, which has no name of its own yet.
    if (row) refuseForeignZone(cloud, row, false);
  },
  /** The zone itself is another resource's; here it must be there. */
  create(cloud, inputs) {
    cloud.forget("zone", inputs.zone);
    return cloud.zone(inputs.zone);
  },
  shown: (row) => ({ state: row.allocationstate as ZoneEnablementInputs["state"] }),
  made: (row) => ({ id: row.id }),
  async sync(cloud, inputs, row) {
    await cloud.client.set("updateZone", { id: row.id, allocationstate: inputs.state });
  },
  destroy: (cloud, state, row) => drainZone(cloud, row, state.destroyGuests),
});
