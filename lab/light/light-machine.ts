import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { BootDevice, Machine, MachineFault, PowerState } from "../machine.ts";
import type { SiteMachine } from "../site.ts";

export interface LightFolders {
  /** The disk lives below it and outlives the lab. */
  data: string;
  log: string;
  /** The installer's tree, built by lab/guest/build.sh. */
  tree: string;
  /** lab/light/host.sh */
  program: string;
}

/**
 * A host without CPU emulation: a network namespace with the inventory's MAC, a real DHCP client, real fetches of boot script, kernel
 * and answer file, a folder as disk, a real SSH server.
 */
export class LightMachine implements Machine {
  readonly name: string;
  readonly faults = new Map<MachineFault, number>();
  bootDevice: BootDevice = "none";
  #child: ChildProcess | undefined;
  readonly #folders: LightFolders;

  constructor(machine: SiteMachine, folders: LightFolders, index: number) {
    this.name = machine.name;
    this.#folders = folders;
    const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
    ip("netns", "add", this.name);
    // Interface names have 15 characters at most, host names more: the index is short and unique.
    ip("link", "add", `light${index}`, "type", "veth", "peer", "name", "eth0", "address", machine.mac, "netns", this.name);
    ip("link", "set", `light${index}`, "master", "br0", "up");
    mkdirSync(join(folders.data, this.name, "disk"), { recursive: true });
  }

  power(): PowerState {
    return this.#child ? "on" : "off";
  }

  async powerOn(): Promise<void> {
    if (this.#child) return;
    const device = this.bootDevice;
    // The boot device is for one boot only; ipmi_sim leaves it to the machine to forget it (bmc facts §6).
    this.bootDevice = "none";
    const lost = device === "pxe" && (this.take("pxe-lost") || this.take("old-disk-boots"));
    const mode = device === "pxe" && !lost ? "pxe" : "disk";
    const fault = mode === "disk" ? "" : this.take("install-hangs") ? "hang" : this.take("install-powers-off") ? "off" : "";
    const console = openSync(join(this.#folders.log, `console-${this.name}.log`), "a");
    const disk = join(this.#folders.data, this.name, "disk");
    const child = spawn(
      "ip",
      [
        "netns",
        "exec",
        this.name,
        "setpriv",
        "--pdeathsig",
        "KILL",
        "unshare",
        "--mount",
        "--uts",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "bash",
        this.#folders.program,
        mode,
        disk,
        this.#folders.tree,
        fault,
      ],
      { stdio: ["ignore", console, console] },
    );
    closeSync(console);
    this.#child = child;
    child.once("error", () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
  }

  async powerOff(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Uses up one count of a fault; true when it was active. */
  take(fault: MachineFault): boolean {
    const left = this.faults.get(fault);
    if (left === undefined) return false;
    if (left <= 1) this.faults.delete(fault);
    else this.faults.set(fault, left - 1);
    return true;
  }
}
