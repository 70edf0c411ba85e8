import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import type { ControlReply } from "../control.ts";
import { answersTcp, type Daemon } from "../daemons.ts";

/** Where machines reach what runs beside them; lab/guest/cloudstack-forward.sh knows it too. */
const RELAY_PORT = 7901;
const ANSWER_SECONDS = 20;

/** The emulator as a daemon of the driver; what its servers remember outlives the lab. */
export function cloudDaemon(address: string, checkout: string, data: string): Daemon {
  return {
    name: "cloudstack",
    command: [process.execPath, `${checkout}/lab/cloudstack/main.ts`, address, String(RELAY_PORT), data],
    ready: answersTcp(address, RELAY_PORT),
  };
}

/** Tells the emulator to misbehave as the management server of that name, or with `clear` to stop it. */
export function setCloudFault(address: string, name: string, kind: string, count?: string): Promise<ControlReply> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ ok: false, error: `the CloudStack emulator: ${error.message}` });
    const socket = createConnection({ host: address, port: RELAY_PORT, localAddress: address });
    socket.setTimeout(ANSWER_SECONDS * 1000, () => socket.destroy(new Error(`no answer within ${ANSWER_SECONDS} s`)));
    socket.once("error", fail);
    createInterface({ input: socket })
      .once("error", fail)
      .once("line", (line) => resolve(line === "ok" ? { ok: true, value: `${name}: ${kind}` } : { ok: false, error: line }));
    socket.write(`fault ${name} ${kind} ${count ?? ""}\n`);
  });
}
