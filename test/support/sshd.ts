import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../providers/kernel/index.ts";

/** A real sshd in a network namespace of its own, so that its cable can be pulled. One at a time. */
export class Sshd {
  readonly address = "10.99.99.2";
  readonly privateKey: string;
  readonly folder = mkdtempSync(join(tmpdir(), "sshd-"));
  #child: ChildProcess | undefined;
  readonly #types: readonly string[];

  constructor(types: readonly ("ed25519" | "rsa" | "ecdsa")[]) {
    this.#types = types;
    for (const type of types) keygen(join(this.folder, type), type);
    keygen(join(this.folder, "client"), "ed25519");
    this.privateKey = readFileSync(join(this.folder, "client"), "utf8");
    ip("netns", "add", "sshd-test");
    ip("link", "add", "sshd0", "type", "veth", "peer", "name", "eth0", "netns", "sshd-test");
    ip("addr", "add", "10.99.99.1/24", "dev", "sshd0");
    ip("link", "set", "sshd0", "up");
    for (const args of [
      ["addr", "add", `${this.address}/24`, "dev", "eth0"],
      ["link", "set", "eth0", "up"],
      ["link", "set", "lo", "up"],
    ])
      ip("netns", "exec", "sshd-test", "ip", ...args);
  }

  hostKey(type: string): string {
    return readFileSync(join(this.folder, `${type}.pub`), "utf8").trim();
  }

  async start(): Promise<void> {
    const lines = [
      `ListenAddress ${this.address}`,
      ...this.#types.map((type) => `HostKey ${join(this.folder, type)}`),
      `AuthorizedKeysFile ${join(this.folder, "client.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PermitRootLogin yes",
      "PidFile none",
      "Subsystem sftp internal-sftp",
    ];
    writeFileSync(join(this.folder, "config"), `${lines.join("\n")}\n`);
    const command = ["netns", "exec", "sshd-test", "/usr/sbin/sshd", "-D", "-e", "-f", join(this.folder, "config")];
    this.#child = spawn("ip", command, { stdio: "ignore" });
    const scope = { signal: AbortSignal.timeout(20_000) };
    const options = { timeoutSeconds: 15, everySeconds: 0.05, object: "sshd", system: "this test" };
    await waitFor("sshd to listen", scope, options, async () =>
      (await listens(this.address)) ? { done: undefined } : { seen: "no answer" },
    );
  }

  cable(state: "up" | "down"): void {
    ip("link", "set", "sshd0", state);
  }

  async remove(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await ended;
    }
    ip("link", "del", "sshd0");
    ip("netns", "del", "sshd-test");
    rmSync(this.folder, { recursive: true });
  }
}

const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });

function keygen(file: string, type: string): void {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", file]);
}

function listens(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: 22 });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
