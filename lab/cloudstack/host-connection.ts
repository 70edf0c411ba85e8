import { connect as connectTcp } from "node:net";
import { Client } from "ssh2";
import { unexpected } from "./errors.ts";
import type { FoundHost } from "./hosts.ts";

export interface Target {
  hypervisor: string;
  address: string;
  port: number;
  username: string;
  password: string;
}

/** Milliseconds that the server waits for a host to answer. */
const ANSWER_MILLISECONDS = 20_000;

/** Name, cores, MHz and KiB of memory, one a line; what a host does not tell is left empty. */
const QUESTIONS = [
  "hostname",
  "nproc 2>/dev/null || echo",
  "sed -n 's/^cpu MHz[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/cpuinfo 2>/dev/null | head -n 1 | grep . || echo",
  "sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo 2>/dev/null | grep . || echo",
].join("; ");

/**
 * Connects to a real host over SSH, as the server does before it has a row for it. A host that cannot be reached is one that the server
 * finds nothing at; one that refuses the password has an error of its own.
 */
export async function connect(target: Target, url: string): Promise<FoundHost> {
  const [name = "", cores, speed, memory] = (await ask(target, url)).split("\n");
  return {
    name: name.trim() || target.address,
    ipAddress: target.address,
    cores: Number(cores) || 1,
    speed: Number(speed) || 1000,
    memory: (Number(memory) || 2 ** 20) * 1024,
    capabilities: target.hypervisor === "KVM" ? "hvm,snapshot" : "xen-3.0-x86_64 , hvm-3.0-x86_64",
    hypervisorVersion: "",
  };
}

function ask({ address, port, username, password }: Target, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const end = (error?: Error, answer = "") => {
      client.end();
      if (error) reject(error);
      else resolve(answer);
    };
    client.once("error", (error: Error & { level?: string }) => {
      const isRefused = error.level === "client-authentication";
      // As the server's log: its answer tells no reason.
      console.error(`addHost ${url}: ${address}:${port}: ${error.message}`);
      end(
        unexpected(
          isRefused
            ? `Could not add host at [${url}] due to: [Authentication error with host password].`
            : `Unable to add the host: Cannot find the server resources at ${url}`,
        ),
      );
    });
    client.once("ready", () =>
      client.exec(QUESTIONS, (error, stream) => {
        if (error) return end(unexpected(`Unable to add the host: Cannot find the server resources at ${url}`));
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.once("close", () => end(undefined, Buffer.concat(parts).toString("utf8")));
        stream.stderr.resume();
      }),
    );
    client.connect({ host: address, port, username, password, readyTimeout: ANSWER_MILLISECONDS, tryKeyboard: false });
  });
}

/** Whether a host still answers at its SSH port. */
export function isReachable(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: address, port, timeout: ANSWER_MILLISECONDS });
    const end = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket
      .once("connect", () => end(true))
      .once("error", () => end(false))
      .once("timeout", () => end(false));
  });
}
