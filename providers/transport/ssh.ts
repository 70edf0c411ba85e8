import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { ClientChannel, Client as Ssh2Client } from "ssh2";
import { forgetSession, limiter, session, TestbedError } from "../kernel/index.ts";
import { type HostKeyPin, keyFingerprint, keyLine, parsePin } from "./host-key.ts";
import { type RemoteFiles, remoteFiles } from "./sftp.ts";
import { openChannel } from "./ssh-channel.ts";

const { Client } = createRequire(import.meta.url)("ssh2") as typeof import("ssh2");

export interface SshTarget {
  address: string;
  port?: number;
  user: string;
  privateKey: string;
  /** The pinned host key, as a public key line or a `SHA256:` fingerprint. Without one any key is accepted, and returned for proof. */
  hostKey?: string;
}

export interface SshResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface ExecOptions {
  /** What the program reads; secrets go this way, since arguments are visible to everybody on the host. */
  stdin?: string | Readable;
  /** @default 60 */
  timeoutSeconds?: number;
}

export interface SshConnection {
  /** The key that the host showed, as an OpenSSH line. */
  readonly hostKey: string;
  /** Runs a program with arguments; nothing in them can be read as shell syntax. */
  exec(command: readonly string[], options?: ExecOptions): Promise<SshResult>;
  /** The host's files, over SFTP. */
  readonly files: RemoteFiles;
  /** Calls back once when the connection is gone, at once when it is gone already. */
  whenClosed(then: () => void): void;
  close(): void;
}

/** Seconds for the whole of connect and authentication. */
const CONNECT_SECONDS = 10;

/** How long a peer may take to close a connection from its side after we ended ours. */
const CLOSE_MILLISECONDS = 2000;

/** OpenSSH's default MaxSessions is 10 for one connection; some are left for transfers of files and for commands that just ended. */
const COMMANDS_PER_CONNECTION = 6;

const systemOf = (target: SshTarget) => `SSH ${target.user}@${target.address}`;

/** The host has no key of the asked type, or shows another one than the pinned. */
class OtherHostKey extends Error {
  readonly shown: string | undefined;
  constructor(shown: string | undefined) {
    super("another host key");
    this.shown = shown;
  }
}

/** Opens a connection of its own. The caller closes it. */
export async function connectSsh(target: SshTarget): Promise<SshConnection> {
  if (target.hostKey === undefined) return connectOnce(target, undefined, undefined);
  const pin = parsePin(target.hostKey);
  const shown: string[] = [];
  for (const algorithms of pin.attempts) {
    try {
      return await connectOnce(target, pin, algorithms);
    } catch (error) {
      if (!(error instanceof OtherHostKey)) throw error;
      if (error.shown) shown.push(error.shown);
    }
  }
  throw new TestbedError({
    system: systemOf(target),
    object: "host key",
    kind: "conflict",
    code: "host-key",
    message: `expected ${pin.fingerprint}, but the host ${shown.length > 0 ? `shows ${shown.join(", ")}` : "has no key of this type"}`,
    remedy: "another system answers at this address, or it was installed anew; nothing was sent to it",
  });
}

function connectOnce(target: SshTarget, pin: HostKeyPin | undefined, algorithms: readonly string[] | undefined): Promise<SshConnection> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let shown = "";
    let refused = false;
    client.on("ready", () => resolve(connection(client, systemOf(target), shown)));
    client.on("error", (error) => {
      // ssh2 has no code for it, only this text.
      if (pin && (refused || /no matching host key format/.test(error.message)))
        return reject(new OtherHostKey(shown === "" ? undefined : keyFingerprint(shown)));
      reject(connectError(target, error));
    });
    client.connect({
      host: target.address,
      port: target.port ?? 22,
      username: target.user,
      privateKey: target.privateKey.endsWith("\n") ? target.privateKey : `${target.privateKey}\n`,
      readyTimeout: CONNECT_SECONDS * 1000,
      // A peer that dies without a FIN (a host that reboots) is noticed after three missed answers.
      keepaliveInterval: 3000,
      keepaliveCountMax: 3,
      ...(algorithms ? { algorithms: { serverHostKey: [...algorithms] as import("ssh2").ServerHostKeyAlgorithm[] } } : {}),
      hostVerifier: (blob: Buffer) => {
        shown = keyLine(blob);
        refused = pin !== undefined && keyFingerprint(shown) !== pin.fingerprint;
        return !refused;
      },
    });
    // Many small packets go back and forth: Nagle's algorithm against delayed ACKs would cost 40 ms each (300 ms for one file over SFTP).
    // ssh2 makes its socket in `connect` and leaves the option to us.
    client.setNoDelay();
  });
}

function connectError(target: SshTarget, error: Error & { level?: string }): TestbedError {
  const system = systemOf(target);
  if (error.level === "client-authentication") {
    return new TestbedError({
      system,
      object: "login",
      kind: "refused",
      code: "authentication",
      message: "the host accepts neither the key nor the user",
      remedy: "check the SSH credential in the stack configuration",
      cause: error,
    });
  }
  return new TestbedError({ system, object: `port ${target.port ?? 22}`, kind: "unreachable", message: error.message, cause: error });
}

function connection(client: Ssh2Client, system: string, hostKey: string): SshConnection {
  let closed = false;
  const waiting = new Set<() => void>();
  const whenClosed = (then: () => void) => void (closed ? then() : waiting.add(then));
  client.on("error", () => client.destroy());
  client.once("close", () => {
    closed = true;
    for (const then of waiting) then();
  });
  return {
    hostKey,
    whenClosed,
    close() {
      client.end();
      if (closed) return;
      // A peer that hangs never answers the end, and would keep this process alive.
      // ssh2's own destroy() does nothing once its end() was called, and it has no other way to its socket.
      const { _sock: socket } = client as unknown as { _sock: Socket };
      const timer = setTimeout(() => socket.destroy(), CLOSE_MILLISECONDS);
      waiting.add(() => clearTimeout(timer));
    },
    files: remoteFiles(client, system),
    exec(command, { stdin = "", timeoutSeconds = 60 } = {}) {
      return new Promise((resolve, reject) => {
        let over = false;
        const fail = (kind: "timeout" | "unreachable" | "invalid", message: string) => {
          over = true;
          clearTimeout(timer);
          waiting.delete(cut);
          reject(new TestbedError({ system, object: command[0] ?? "", kind, message }));
        };
        // Only this command's channel ends: others run on the same connection.
        let channel: ClientChannel | undefined;
        const timer = setTimeout(() => {
          channel?.close();
          fail("timeout", `did not end within ${timeoutSeconds} s`);
        }, timeoutSeconds * 1000);
        const cut = () => fail("unreachable", "the connection was cut while the command ran");
        if (command.some((word) => word.includes("\0"))) return fail("invalid", "an argument holds a NUL, which no program can be given");
        if (closed) return cut();
        waiting.add(cut);
        const run = (stream: ClientChannel) => {
          if (over) return void stream.close();
          channel = stream;
          const stdout: Buffer[] = [];
          const stderr: Buffer[] = [];
          stream.on("data", (data: Buffer) => stdout.push(data));
          stream.stderr.on("data", (data: Buffer) => stderr.push(data));
          stream.on("close", (status: number | null) => {
            clearTimeout(timer);
            waiting.delete(cut);
            resolve({ status: status ?? 255, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
          });
          if (typeof stdin === "string") return void stream.end(stdin);
          // A source that breaks ends the program's input; the program finds out what is missing.
          stdin.once("error", () => stream.end());
          stdin.pipe(stream);
        };
        openChannel(client, command, () => !over && !closed).then(run, (error: Error) => fail("unreachable", error.message));
      });
    },
  };
}

const sharedKey = (target: SshTarget & { hostKey: string }) =>
  `ssh ${target.user}@${target.address}:${target.port ?? 22} ${target.hostKey}`;

/** The connections that this process shares, while they are open. */
const shared = new Set<SshConnection>();

/** The one connection to a target that everything in this process shares; forgotten when it is cut, so that the next caller opens anew. */
function sharedConnection(target: SshTarget & { hostKey: string }): Promise<SshConnection> {
  const key = sharedKey(target);
  return session(key, async () => {
    const open = await connectSsh(target);
    shared.add(open);
    open.whenClosed(() => {
      shared.delete(open);
      forgetSession(key);
    });
    return open;
  });
}

/** Runs a command over the shared connection to a target. */
export async function sshExec(
  target: SshTarget & { hostKey: string },
  command: readonly string[],
  options?: ExecOptions,
): Promise<SshResult> {
  return limiter(sharedKey(target), COMMANDS_PER_CONNECTION)(async () => (await sharedConnection(target)).exec(command, options));
}

/** Closes every shared connection: for a program that ends by itself, which an open connection would keep alive. */
export async function closeSharedSsh(): Promise<void> {
  await Promise.all(
    [...shared].map((open) => {
      open.close();
      return new Promise<void>((resolve) => open.whenClosed(resolve));
    }),
  );
}
