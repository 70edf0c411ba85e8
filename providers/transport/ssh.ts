import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { Client as Ssh2Client } from "ssh2";
import { forgetSession, session, TestbedError } from "../kernel/index.ts";

const { Client, utils } = createRequire(import.meta.url)("ssh2") as typeof import("ssh2");

export interface SshTarget {
  address: string;
  port?: number;
  user: string;
  privateKey: string;
  /** The pinned host key as an OpenSSH line (`ssh-ed25519 AAAA…`). Without one any key is accepted, and returned for proof. */
  hostKey?: string;
}

export interface SshResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface SshConnection {
  /** The key that the host showed, as an OpenSSH line. */
  readonly hostKey: string;
  /** Runs a program with arguments; nothing in them can be read as shell syntax. */
  exec(command: readonly string[], options?: { stdin?: string; timeoutSeconds?: number }): Promise<SshResult>;
  close(): void;
}

/** Seconds for the whole of connect and authentication. */
const CONNECT_SECONDS = 10;

/** One argument for a POSIX shell: inside single quotes nothing is special but the quote itself. */
export function shellQuote(argument: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** SHA256 fingerprint of an OpenSSH key line, as `ssh-keygen -l` prints it. */
export function keyFingerprint(line: string): string {
  const blob = Buffer.from(line.trim().split(/\s+/)[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

function keyLine(blob: Buffer): string {
  const parsed = utils.parseKey(blob);
  const type = parsed instanceof Error ? "unknown" : parsed.type;
  return `${type} ${blob.toString("base64")}`;
}

/** Opens a connection of its own. The caller closes it. */
export function connectSsh(target: SshTarget): Promise<SshConnection> {
  const system = `SSH ${target.user}@${target.address}`;
  return new Promise((resolve, reject) => {
    const client = new Client();
    let shown = "";
    const pinned = target.hostKey?.trim().split(/\s+/).slice(0, 2).join(" ");
    client.on("ready", () => resolve(connection(client, system, shown)));
    client.on("error", (error) => reject(connectError(system, target, error, pinned, shown)));
    client.connect({
      host: target.address,
      port: target.port ?? 22,
      username: target.user,
      privateKey: target.privateKey.endsWith("\n") ? target.privateKey : `${target.privateKey}\n`,
      readyTimeout: CONNECT_SECONDS * 1000,
      // A peer that dies without a FIN (a host that reboots) is noticed after three missed answers.
      keepaliveInterval: 3000,
      keepaliveCountMax: 3,
      hostVerifier: (blob: Buffer) => {
        shown = keyLine(blob);
        return pinned === undefined || pinned === shown;
      },
    });
  });
}

function connectError(
  system: string,
  target: SshTarget,
  error: Error & { level?: string },
  pinned: string | undefined,
  shown: string,
): TestbedError {
  if (pinned !== undefined && shown !== "" && shown !== pinned) {
    return new TestbedError({
      system,
      object: "host key",
      kind: "conflict",
      code: "host-key",
      message: `expected ${keyFingerprint(pinned)}, but the host shows ${keyFingerprint(shown)}`,
      remedy: "another system answers at this address; nothing was sent to it",
    });
  }
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
  client.on("error", () => client.destroy());
  return {
    hostKey,
    close: () => client.end(),
    exec(command, { stdin = "", timeoutSeconds = 60 } = {}) {
      const line = command.map(shellQuote).join(" ");
      return new Promise((resolve, reject) => {
        const fail = (kind: "timeout" | "unreachable", message: string) => {
          clearTimeout(timer);
          reject(new TestbedError({ system, object: command[0] ?? "", kind, message }));
        };
        const timer = setTimeout(() => {
          client.destroy();
          fail("timeout", `did not end within ${timeoutSeconds} s`);
        }, timeoutSeconds * 1000);
        const closed = () => fail("unreachable", "the connection was cut while the command ran");
        client.once("close", closed);
        client.exec(line, (error, stream) => {
          if (error) return fail("unreachable", error.message);
          let stdout = "";
          let stderr = "";
          stream.on("data", (data: Buffer) => (stdout += data.toString()));
          stream.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
          stream.on("close", (status: number | null) => {
            clearTimeout(timer);
            client.removeListener("close", closed);
            resolve({ status: status ?? 255, stdout, stderr });
          });
          stream.end(stdin);
        });
      });
    },
  };
}

/** Runs a command over the one shared connection to a target; a connection that was cut is opened once more. */
export async function sshExec(
  target: SshTarget & { hostKey: string },
  command: readonly string[],
  options?: { stdin?: string; timeoutSeconds?: number },
): Promise<SshResult> {
  const key = `ssh ${target.user}@${target.address}:${target.port ?? 22} ${target.hostKey}`;
  const open = await session(key, () => connectSsh(target));
  try {
    return await open.exec(command, options);
  } catch (error) {
    forgetSession(key);
    open.close();
    if (error instanceof TestbedError) throw error;
    // ssh2 throws a plain error when the shared connection was cut while it was idle.
    throw new TestbedError({
      system: `SSH ${target.user}@${target.address}`,
      object: command[0] ?? "",
      kind: "unreachable",
      message: String(error),
      cause: error,
    });
  }
}
