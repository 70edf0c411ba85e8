import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseDocument } from "yaml";
import { cobblerPackage } from "../../lab/driver/cobbler.ts";
import { type XmlRpcValue, xmlRpcClient } from "../../providers/transport/xmlrpc.ts";

/** A trigger of cobbler's own kind, run before boot files are written, by every save of a system and every sync; it fails while the file `broken` exists. */
const TRIGGER = `#!/bin/sh\n[ ! -e /var/lib/cobbler/broken ]\n`;

/** Where the private daemon finds its folders, and below which name they are kept. */
const folders = {
  "/etc/cobbler": "etc",
  "/var/lib/cobbler": "lib",
  "/var/log/cobbler": "log",
  "/srv/tftpboot": "tftpboot",
  "/var/www/cobbler": "www",
};

/** What it writes outside its own folders where it manages DHCP and DNS. */
const files = { "/etc/dnsmasq.conf": "dnsmasq.conf", "/etc/ethers": "ethers" };

/**
 * A real cobblerd beside the lab's, with data of its own, that a test may stop, kill, restart and break. It runs in a mount
 * namespace of its own inside the lab's namespaces, on another port of the loopback interface, without a web server before it.
 */
export class Cobblerd {
  readonly #folder = mkdtempSync(join(tmpdir(), "cobblerd-"));
  readonly port: number;
  #child: ChildProcess | undefined;

  constructor(port: number, settings: Record<string, unknown> = {}) {
    this.port = port;
    for (const name of Object.values(folders)) mkdirSync(join(this.#folder, name));
    cpSync("/etc/cobbler", join(this.#folder, "etc"), { recursive: true });
    cpSync(`${cobblerPackage}/var/lib/cobbler`, join(this.#folder, "lib"), { recursive: true });
    cpSync(`${cobblerPackage}/var/www/cobbler`, join(this.#folder, "www"), { recursive: true });
    for (const name of Object.values(files)) writeFileSync(join(this.#folder, name), "");
    for (const kind of ["distros", "profiles", "systems", "images", "repos", "menus", "mgmtclasses", "packages", "files"])
      mkdirSync(join(this.#folder, "lib/collections", kind), { recursive: true });
    mkdirSync(join(this.#folder, "lib/loaders"), { recursive: true });
    mkdirSync(join(this.#folder, "log/tasks"));
    const trigger = join(this.#folder, "lib/triggers/sync/pre/testbed");
    mkdirSync(join(trigger, ".."), { recursive: true });
    writeFileSync(trigger, TRIGGER);
    chmodSync(trigger, 0o755);
    const file = join(this.#folder, "etc/settings.yaml");
    const document = parseDocument(readFileSync(file, "utf8"), { version: "1.1" });
    for (const [key, value] of Object.entries({ xmlrpc_port: port, ...settings })) document.set(key, value);
    writeFileSync(file, document.toString());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/RPC2`;
  }

  /** Only that account may write; the others, given with their passwords, may log in. To be called before the start. */
  allowOnly(user: string, others: Record<string, string>): void {
    this.#edit("etc/modules.conf", (text) => text.replace("authorization.allowall", "authorization.configfile"));
    this.#edit("etc/users.conf", () => `[admins]\n${user} = ""\n`);
    const line = ([name, password]: [string, string]) => `${name}:Cobbler:${createHash("sha3-512").update(password).digest("hex")}\n`;
    this.#edit("etc/users.digest", (text) => text + Object.entries(others).map(line).join(""));
  }

  #edit(name: string, change: (text: string) => string): void {
    const path = join(this.#folder, name);
    writeFileSync(path, change(existsSync(path) ? readFileSync(path, "utf8") : ""));
  }

  async start(): Promise<void> {
    for (const target of Object.keys(files)) if (!existsSync(target)) writeFileSync(target, "");
    const mounts = Object.entries({ ...folders, ...files }).map(([target, name]) => `mount --bind '${join(this.#folder, name)}' ${target}`);
    const command = `${mounts.join(" && ")} && exec setpriv --pdeathsig KILL /usr/bin/python3 ${cobblerPackage}/bin/cobblerd -F`;
    const log = openSync(join(this.#folder, "daemon.log"), "a");
    const child = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", command], {
      stdio: ["ignore", log, log],
      env: { ...process.env, PYTHONPATH: cobblerPackage },
    });
    this.#child = child;
    const client = xmlRpcClient(this.url, { system: "the private cobblerd", timeoutSeconds: 5 });
    for (const deadline = performance.now() + 30_000; ; ) {
      if (await client.call("ping", []).catch(() => false)) return;
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`cobblerd did not start; its log ends:\n${this.#read("daemon.log").slice(-2000)}`);
      await pause(50);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** The process stops or goes on; connections to it are still taken, by the kernel. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** From now on every save of a system and every sync persists and then faults, until `mend`. */
  breakTrigger(): void {
    writeFileSync(join(this.#folder, "lib/broken"), "");
  }

  mendTrigger(): void {
    rmSync(join(this.#folder, "lib/broken"), { force: true });
  }

  /** A boot file that cobbler has written, e.g. `pxelinux.cfg/01-52-…`; undefined when there is none. */
  bootFile(name: string): string | undefined {
    const path = join(this.#folder, "tftpboot", name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  /** dnsmasq's configuration as cobbler has written it. */
  dhcpConfiguration(): string {
    return this.#read("dnsmasq.conf");
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8");
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Calls by hand, as an administrator or another program makes them; `make` and `edit` set attributes and save. */
export async function byHand(url: string, user = "cobbler", password = "lab-cobbler") {
  const client = xmlRpcClient(url, { system: "by hand", timeoutSeconds: 60 });
  const token = (await client.call("login", [user, password])) as string;
  const withToken = (method: string, ...parameters: XmlRpcValue[]) => client.call(method, [...parameters, token]);
  const change = async (kind: string, handle: XmlRpcValue, attributes: Record<string, XmlRpcValue>) => {
    for (const [attribute, value] of Object.entries(attributes))
      if ((await withToken(`modify_${kind}`, handle, attribute, value)) !== true) throw new Error(`${attribute} was not taken`);
    await withToken(`save_${kind}`, handle);
  };
  return {
    call: (method: string, ...parameters: XmlRpcValue[]) => client.call(method, parameters),
    withToken,
    make: async (kind: string, name: string, attributes: Record<string, XmlRpcValue>) =>
      change(kind, await withToken(`new_${kind}`), { name, ...attributes }),
    edit: async (kind: string, name: string, attributes: Record<string, XmlRpcValue>) =>
      change(kind, await withToken(`get_${kind}_handle`, name), attributes),
  };
}
