import { type Context, markText, TestbedError } from "../kernel/index.ts";
import { defineOwnership, refuseChanged } from "../kernel/ownership.ts";
import { Cloud, MARK_DETAIL, type ZoneRow, zoneMark } from "./cloud.ts";
import { detailParameters, type ZoneInputs, zone } from "./zone.ts";

async function look(context: Context, inputs: ZoneInputs): Promise<{ cloud: Cloud; row: ZoneRow | undefined }> {
  const cloud = await Cloud.of(context, inputs.server);
  return { cloud, row: await cloud.lookUpZone(inputs.name) };
}

// Everything in a zone follows its mark: the other resources of a cloud have none of their own.
defineOwnership<ZoneInputs>(zone.type, {
  async holdings(context, inputs) {
    const { cloud, row } = await look(context, inputs);
    return row ? [{ object: `zone ${row.name}`, system: cloud.client.system, holder: zoneMark(row) }] : [];
  },
  async take(context, inputs, holding) {
    const { cloud, row } = await look(context, inputs);
    if (!row)
      throw new TestbedError({
        ...{ system: holding.system, object: holding.object, kind: "conflict", code: "changed-hands" },
        message: "does not exist any more",
        remedy: "look again, then decide again",
      });
    refuseChanged(holding, zoneMark(row));
    await cloud.client.set("updateZone", { id: row.id, ...detailParameters({ [MARK_DETAIL]: markText(context.mark) }) });
    cloud.forget("zone", inputs.name);
  },
});
