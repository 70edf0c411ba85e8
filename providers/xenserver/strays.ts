import type { Context } from "../kernel/index.ts";
import { Xapi } from "./client.ts";
import type { XenServerConnection } from "./connection.ts";
import { markedNames } from "./find.ts";
import { removeAll } from "./remove.ts";

/** How long a stray VM may take to be switched off, and its removal to be done. */
const POWER_SECONDS = 120;

/** The names of everything on the server that carries our mark and is not to be kept. */
export async function strayVms(context: Context, connection: XenServerConnection, keep: ReadonlySet<string>): Promise<string[]> {
  const xapi = new Xapi(context, connection);
  return (await xapi.step(() => markedNames(xapi, context.mark))).filter((name) => !keep.has(name));
}

/** Removes every VM and disk of our mark that is not to be kept. @returns their names */
export async function removeStrayVms(context: Context, connection: XenServerConnection, keep: ReadonlySet<string>): Promise<string[]> {
  const xapi = new Xapi(context, connection);
  const names = await strayVms(context, connection, keep);
  for (const name of names) await xapi.step(() => removeAll(context, xapi, name, POWER_SECONDS));
  return names;
}
