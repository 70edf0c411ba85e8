import { join } from "node:path";
import { askControl } from "../../lab/control.ts";

/** State folder of the lab that this test runs in; tools/test.sh names it. */
export function labState(): string {
  const state = process.env.TESTBED_LAB_STATE;
  if (!state) throw new Error("TESTBED_LAB_STATE is not set: run this through tools/test.sh");
  return state;
}

/** Tells the lab that this test runs in to misbehave. */
export async function fault(...words: string[]): Promise<void> {
  const reply = await askControl(join(labState(), "control.sock"), ["fault", ...words]);
  if (!reply.ok) throw new Error(reply.error);
}
