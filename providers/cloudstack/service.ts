import { createConnection } from "node:net";
import { type Context, errorText, retry, TestbedError } from "../kernel/index.ts";
import { type SshResult, sshExec } from "../transport/ssh.ts";

/** How the machine of a management server is reached, and how its service is handled there. */
export interface Machine {
  address: string;
  ssh: { user: string; hostKey: string; credential: string };
  service: { restart: string[]; log: string };
}

/** Holds the start of the service that a setting was changed after: a run that is cut off before the restart leaves it to the next one. */
const MARKER = "/etc/testbed-restart-needed";
const LOG_LINES = 15;

const READ_MARKER = `if [ -e "$1" ]; then cat "$1"; fi`;
const WRITE_MARKER = `printf '%s' "$2" >"$1"`;
const CLEAR_MARKER = `rm -f "$1"`;

function execute(context: Context, machine: Machine, command: readonly string[], timeoutSeconds?: number): Promise<SshResult> {
  const { privateKey = "" } = context.credential(machine.ssh.credential);
  const target = { address: machine.address, user: machine.ssh.user, hostKey: machine.ssh.hostKey, privateKey };
  return sshExec(target, command, timeoutSeconds === undefined ? {} : { timeoutSeconds });
}

async function script(context: Context, machine: Machine, text: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await retry(context.signal, () => execute(context, machine, ["sh", "-c", text, "testbed", ...args]));
  if (status !== 0)
    throw new TestbedError({
      system: `SSH ${machine.ssh.user}@${machine.address}`,
      object: args[0] ?? "script",
      kind: "refused",
      code: `exit-${status}`,
      message: stderr.trim() || stdout.trim() || "no output",
    });
  return stdout;
}

/** Whether SSH answers with the pinned key and accepts ours. */
export async function probeSsh(context: Context, machine: Machine): Promise<void> {
  await execute(context, machine, ["true"], 20);
}

/** The last lines of the service's own log, for an error; never fails itself. */
export async function lastLogLines(context: Context, machine: Machine): Promise<string> {
  try {
    const { status, stdout, stderr } = await execute(context, machine, ["tail", "-n", String(LOG_LINES), machine.service.log], 20);
    if (status !== 0) return `its log cannot be read: ${stderr.trim()}`;
    return `last lines of ${machine.service.log}:\n${stdout.trimEnd() || "(empty)"}`;
  } catch (error) {
    return `its log cannot be read: ${errorText(error)}`;
  }
}

/** The start that a change waits for to be followed by another one; undefined when nothing waits. */
export async function readRestartMarker(context: Context, machine: Machine): Promise<string | undefined> {
  return (await script(context, machine, READ_MARKER, MARKER)) || undefined;
}

/** Written before the change that needs the restart. */
export async function writeRestartMarker(context: Context, machine: Machine, start: string): Promise<void> {
  await script(context, machine, WRITE_MARKER, MARKER, start);
}

export async function clearRestartMarker(context: Context, machine: Machine): Promise<void> {
  await script(context, machine, CLEAR_MARKER, MARKER);
}

/** Runs the restart command; once, for a second one would interrupt the start that the first began. */
export async function restartService(context: Context, machine: Machine, timeoutSeconds: number): Promise<void> {
  const { status, stdout, stderr } = await execute(context, machine, machine.service.restart, timeoutSeconds);
  if (status === 0) return;
  throw new TestbedError({
    system: `management server ${machine.address}`,
    object: machine.service.restart.join(" "),
    kind: "refused",
    code: `exit-${status}`,
    message: `the restart failed: ${stderr.trim() || stdout.trim() || "no output"}; ${await lastLogLines(context, machine)}`,
    remedy: "correct `service.restart`, or start the service by hand and see why it fails",
  });
}

/** Seconds for a connection and for the first packet, which a database sends unasked. */
const GREETING_SECONDS = 10;

/** What the database says first: its version, or why it does not talk to us, which is an answer as well. */
export function databaseGreeting(address: string, port: number): Promise<string> {
  const unreachable = (message: string) =>
    new TestbedError({ system: `database ${address}:${port}`, object: "greeting", kind: "unreachable", message });
  return new Promise((resolve, reject) => {
    let packet = Buffer.alloc(0);
    const socket = createConnection({ host: address, port });
    socket.setTimeout(GREETING_SECONDS * 1000, () => socket.destroy(new Error(`no greeting within ${GREETING_SECONDS} s`)));
    socket.once("error", (error) => reject(unreachable(error.message)));
    socket.once("close", () => reject(unreachable("the connection was closed without a greeting")));
    socket.on("data", (data) => {
      packet = Buffer.concat([packet, data]);
      // Three bytes of length, one of sequence, then the protocol's number, or 255 and an error.
      if (packet.length < 5 || packet.length < 4 + packet.readUIntLE(0, 3)) return;
      const protocol = packet.readUInt8(4);
      if (protocol === 10) resolve(packet.subarray(5, packet.indexOf(0, 5)).toString("latin1"));
      else if (protocol === 255) resolve(`refuses us: ${packet.subarray(7).toString("latin1")}`);
      else reject(unreachable(`not a database's greeting (its first byte is ${protocol})`));
      socket.destroy();
    });
  });
}
