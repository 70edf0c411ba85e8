import type { LineReply } from "../line-server.ts";
import type { BootDevice, Machine } from "../machine.ts";

/** IPMI's "unspecified error": what ipmi_sim answers when its chassis program fails. */
const UNSPECIFIED_ERROR = 255;
const refused: LineReply = { lines: [], status: UNSPECIFIED_ERROR };
const done: LineReply = { lines: [], status: 0 };

/** One request of a BMC: `get NAME…` or `set NAME VALUE`. */
export async function chassisRequest(machine: Machine, words: readonly string[]): Promise<LineReply> {
  const [verb, name, value] = words;
  // ipmi_sim passes no completion code on: whatever fails here, its client reads "unspecified error".
  if (machine.faults.has("bmc-busy")) return refused;
  if (verb === "get") return read(machine, words.slice(1));
  if (verb !== "set" || name === undefined || value === undefined) return refused;
  return machine.faults.has("ignores") ? done : write(machine, name, value);
}

function read(machine: Machine, names: readonly string[]): LineReply {
  const values: Record<string, string> = { power: machine.power() === "on" ? "1" : "0", boot: machine.bootDevice };
  if (names.some((one) => !(one in values))) return refused;
  return { lines: names.map((one) => `${one}:${values[one]}`), status: 0 };
}

async function write(machine: Machine, name: string, value: string): Promise<LineReply> {
  switch (name) {
    case "power":
      if (value === "1") await machine.powerOn();
      else if (!machine.faults.has("stays-on")) await machine.powerOff();
      return done;
    case "reset":
      await machine.powerOff();
      await machine.powerOn();
      return done;
    case "shutdown":
      if (!machine.faults.has("stays-on")) await machine.shutDown();
      return done;
    case "boot":
      if (!machine.faults.has("forgets-boot-device")) machine.bootDevice = bootDevice(value);
      return done;
    default:
      return refused;
  }
}

function bootDevice(value: string): BootDevice {
  if (value === "pxe") return "pxe";
  return value === "default" ? "disk" : "none";
}
