import { join } from "node:path";
import { askControl } from "../../lab/control.ts";

/** Tells the lab that this test runs in to misbehave; tools/test.sh names its state folder. */
export async function fault(...words: string[]): Promise<void> {
  const state = process.env.TESTBED_LAB_STATE;
  if (!state) throw new Error("TESTBED_LAB_STATE is not set: run this through tools/test.sh");
  const reply = await askControl(join(state, "control.sock"), ["fault", ...words]);
  if (!reply.ok) throw new Error(reply.error);
}
