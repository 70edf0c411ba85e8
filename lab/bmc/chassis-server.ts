import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import type { BootDevice, Machine } from "../machine.ts";

/** IPMI's "unspecified error": what ipmi_sim answers when its chassis program fails. */
const UNSPECIFIED_ERROR = 255;

interface Reply {
  lines: string[];
  status: number;
}

/** One request of a BMC: `get NAME…` or `set NAME VALUE`. */
export async function chassisRequest(machine: Machine, words: readonly string[]): Promise<Reply> {
  const [verb, name, value] = words;
  // ipmi_sim passes no completion code on: whatever fails here, its client reads "unspecified error".
  if (machine.faults.has("bmc-busy")) return { lines: [], status: UNSPECIFIED_ERROR };
  if (verb === "get") {
    const values: Record<string, string> = { power: machine.power() === "on" ? "1" : "0", boot: machine.bootDevice };
    const names = words.slice(1);
    if (names.some((one) => !(one in values))) return { lines: [], status: UNSPECIFIED_ERROR };
    return { lines: names.map((one) => `${one}:${values[one]}`), status: 0 };
  }
  if (verb !== "set" || value === undefined) return { lines: [], status: UNSPECIFIED_ERROR };
  if (machine.faults.has("ignores")) return { lines: [], status: 0 };
  switch (name) {
    case "power":
      if (value === "1") await machine.powerOn();
      else if (!machine.faults.has("stays-on")) await machine.powerOff();
      break;
    case "reset":
      await machine.powerOff();
      await machine.powerOn();
      break;
    case "shutdown":
      await machine.powerOff();
      break;
    case "boot":
      if (!machine.faults.has("forgets-boot-device")) machine.bootDevice = bootDevice(value);
      break;
    default:
      return { lines: [], status: UNSPECIFIED_ERROR };
  }
  return { lines: [], status: 0 };
}

function bootDevice(value: string): BootDevice {
  if (value === "pxe") return "pxe";
  return value === "default" ? "disk" : "none";
}

/** Answers the chassis programs of all BMCs. */
export function startChassisServer(machines: ReadonlyMap<string, Machine>, port: number): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).once("line", async (line) => {
      const [host, ...words] = line.trim().split(/\s+/);
      const machine = machines.get(host ?? "");
      const refused: Reply = { lines: [], status: UNSPECIFIED_ERROR };
      const reply = machine ? await chassisRequest(machine, words).catch(() => refused) : refused;
      socket.end([...reply.lines, `rc ${reply.status}`, ""].join("\n"));
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
