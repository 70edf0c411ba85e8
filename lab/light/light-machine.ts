import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ip, Machine, type MachineFolders, type MachineSpec, type PowerState } from "../machine.ts";

/**
 * A host without CPU emulation: a network namespace with the inventory's MAC, a real DHCP client, real fetches of boot script, kernel
 * and answer file, a folder as disk, a real SSH server.
 */
export class LightMachine extends Machine {
  #child: ChildProcess | undefined;
  readonly #disk: string;
  readonly #program: string;
  readonly #tree: string;
  readonly #link: string;

  constructor(machine: MachineSpec, folders: MachineFolders, index: number) {
    super(machine, folders);
    this.#disk = join(machine.disk?.folder ?? this.folder, "disk");
    this.#program = join(folders.checkout, "lab/light/host.sh");
    this.#tree = join(folders.guest, "tree");
    ip("netns", "add", this.name);
    // Interface names have 15 characters at most, host names more: the index is short and unique.
    this.#link = `light${index}`;
    ip("link", "add", this.#link, "type", "veth", "peer", "name", "eth0", "address", machine.mac, "netns", this.name);
    ip("link", "set", this.#link, "master", "br0", "up");
    mkdirSync(this.#disk, { recursive: true });
  }

  power(): PowerState {
    return this.#child ? "on" : "off";
  }

  async powerOn(): Promise<void> {
    if (!this.#child) this.#start();
  }

  dispose(): void {
    // The namespace's end of the pair goes with it.
    ip("link", "del", this.#link);
    ip("netns", "del", this.name);
  }

  #start(): void {
    const { targets, fault } = this.nextBoot();
    const console = openSync(this.console, "a");
    const contained = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const child = spawn(
      "ip",
      ["netns", "exec", this.name, ...contained, "bash", this.#program, targets.join(" "), this.#disk, this.#tree, fault],
      {
        stdio: ["ignore", console, console],
      },
    );
    closeSync(console);
    this.#child = child;
    this.note("on");
    child.once("error", () => this.#ended(child));
    // A reboot(2) inside a PID namespace ends its first process with SIGHUP, a power-off with SIGINT (pid_namespaces(7)).
    child.once("exit", (_, signal) => this.#ended(child) && signal === "SIGHUP" && this.#start());
  }

  #ended(child: ChildProcess): boolean {
    if (this.#child !== child) return false;
    this.#child = undefined;
    this.note("off");
    return true;
  }

  async powerOff(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** A light host has no power button that its system could see. */
  async shutDown(): Promise<void> {
    await this.powerOff();
  }

  protected marker(): string | undefined {
    const file = join(this.#disk, "etc/testbed-install");
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }
}
