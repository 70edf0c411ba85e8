import { createConnection } from "node:net";
import { type Context, markText, TestbedError } from "../kernel/index.ts";
import { defineOwnership, refuseChanged } from "../kernel/ownership.ts";
import { Cloud, MARK_DETAIL, type ZoneRow, zoneMark } from "./cloud.ts";
import { type CloudServer, serverSchema } from "./inputs.ts";
import { detailParameters, type ZoneInputs, zone } from "./zone.ts";

const CONNECT_MILLISECONDS = 3000;

async function look(context: Context, server: CloudServer, name: string): Promise<{ cloud: Cloud; row: ZoneRow | undefined }> {
  const cloud = await Cloud.of(context, server);
  return { cloud, row: await cloud.lookUpZone(name) };
}

/** Arguments of a program that has not run: of a server that is yet to be installed they lack what only its installation tells, and defaults. */
const serverOf = ({ server: { address, ports, credential } }: ZoneInputs) => serverSchema.parse({ address, ports, credential });

/** A server that takes no connection is off, or not made yet: no zone of it is anybody's. */
function isListening({ address, ports }: CloudServer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: ports.api, timeout: CONNECT_MILLISECONDS });
    const end = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

// Everything in a zone follows its mark: the other resources of a cloud have none of their own.
defineOwnership<ZoneInputs>(zone.type, {
  async holdings(context, inputs) {
    const server = serverOf(inputs);
    if (!(await isListening(server))) return [];
    const { cloud, row } = await look(context, server, inputs.name);
    return row ? [{ object: `zone ${row.name}`, system: cloud.client.system, holder: zoneMark(row) }] : [];
  },
  async take(context, inputs, holding) {
    const { cloud, row } = await look(context, serverOf(inputs), inputs.name);
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
