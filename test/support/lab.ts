import { readFileSync } from "node:fs";
import { join } from "node:path";
import { askControl } from "../../lab/control.ts";

/** The state folder of the lab that this test runs in; tools/test.sh names it. */
export function labState(): string {
  const state = process.env.TESTBED_LAB_STATE;
  if (!state) throw new Error("TESTBED_LAB_STATE is not set: run this through tools/test.sh");
  return state;
}

/** The process below which all of the lab's own are. */
export function labProcess(): number {
  return (JSON.parse(readFileSync(join(labState(), "holder.json"), "utf8")) as { pid: number }).pid;
}

async function command(...words: string[]): Promise<unknown> {
  const reply = await askControl(join(labState(), "control.sock"), words);
  if (!reply.ok) throw new Error(reply.error);
  return reply.value;
}

/** Tells the lab to misbehave. */
export async function fault(...words: string[]): Promise<void> {
  await command("fault", ...words);
}

/** Switches a host behind its BMC's back. */
export async function switchPower(host: string, state: "on" | "off"): Promise<void> {
  await command("power", host, state);
}

export async function powerOf(host: string): Promise<string | undefined> {
  const { hosts } = (await command("status")) as { hosts: { name: string; power: string }[] };
  return hosts.find((one) => one.name === host)?.power;
}
