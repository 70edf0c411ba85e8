import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type PowerState = "on" | "off";
export type BootDevice = "none" | "pxe" | "disk";
/** What a machine tries to boot from, in that order. */
export type BootTarget = "network" | "disk";

/** What a machine is made of. */
export interface MachineSpec {
  name: string;
  mac: string;
  firmware: "bios" | "uefi";
  /** Where its disk lies, and how large it is; without it, in the machine's own folder with the default size. */
  disk?: { folder: string; bytes: number };
  /** Where the machine's own state lies; without it, in a folder of its name. */
  folder?: string;
}

/** How machines are played: QEMU with emulated CPU and firmware, or network namespaces without. */
export const machineKinds = ["qemu", "light"] as const;
export type MachineKind = (typeof machineKinds)[number];

/**
 * What a machine can be told to do wrong, and what that is. Those of a BMC stay until cleared; those of a boot end when their count
 * is used up.
 */
export const machineFaults = {
  "stays-on": "the power stays on after `off`",
  ignores: "commands of the BMC are accepted and do nothing",
  "forgets-boot-device": "the boot device is accepted and forgotten",
  "bmc-busy": "every command of the BMC fails",
  "pxe-lost": "a network boot gets no answer and goes on with the disk",
  "old-disk-boots": "the firmware boots the disk though told to use PXE",
  "install-hangs": "the installer hangs after it read its answer file",
  "install-powers-off": "the installer switches the machine off",
  "wrong-image": "the installer writes the other system's image",
  "wrong-token": "the installer writes another install token than it was given",
  "ssh-refuses": "the installed system has no SSH server",
  "clock-off": "the installed system's clock is an hour ahead",
} as const;
export type MachineFault = keyof typeof machineFaults;

const installerFaults = ["install-hangs", "install-powers-off", "wrong-image", "wrong-token", "ssh-refuses", "clock-off"] as const;
/** A fault that the installer itself plays (lab/guest/install.sh); empty for none. */
export type InstallerFault = (typeof installerFaults)[number] | "";

/** Where the lab keeps what machines need. */
export interface MachineFolders {
  /** Disks; they outlive the lab. */
  data: string;
  /** Consoles: `console-NAME.log`. */
  log: string;
  /** What lab/guest/build.sh made. */
  guest: string;
  checkout: string;
}

/** What was installed on a disk, as the machine itself wrote it. */
export type Installed = Record<"profile" | "generation", string>;

/** A host as its BMC sees it, or a VM as its hypervisor does. */
export abstract class Machine {
  readonly name: string;
  /** Remaining count per active fault. */
  faults = new Map<MachineFault, number>();
  bootDevice: BootDevice = "none";
  /** What every start tries that no boot device was set for; a BMC's host has the disk there. */
  bootOrder: readonly BootTarget[] = ["disk"];
  /** Is told of every change. */
  onPower: (power: PowerState) => void = () => undefined;
  protected readonly console: string;
  protected readonly folder: string;

  constructor(machine: MachineSpec, folders: MachineFolders) {
    this.name = machine.name;
    this.console = join(folders.log, `console-${machine.name}.log`);
    this.folder = machine.folder ?? join(folders.data, machine.name);
    mkdirSync(this.folder, { recursive: true });
  }

  abstract power(): PowerState;
  abstract powerOn(): Promise<void>;
  /** As by holding the button. */
  abstract powerOff(): Promise<void>;
  /** Asks the running system to switch itself off. */
  abstract shutDown(): Promise<void>;
  /** Takes its network interface away. It is off by then. */
  abstract dispose(): void;
  /** The text of the install marker on its disk; undefined when nothing is installed. */
  protected abstract marker(): string | undefined;

  /** A lab that was stopped comes back as it was: a machine that was on boots from its disk. True when it does. */
  async resume(): Promise<boolean> {
    if (!existsSync(this.#poweredOn)) return false;
    await this.powerOn();
    return true;
  }

  get #poweredOn(): string {
    return join(this.folder, "powered-on");
  }

  /** To be told of every change, for `resume`. */
  protected note(power: PowerState): void {
    // On the console too, so that what an earlier start said is not taken for what runs.
    appendFileSync(this.console, `\nLAB power ${power}\n`);
    if (power === "on") writeFileSync(this.#poweredOn, "");
    else rmSync(this.#poweredOn, { force: true });
    this.onPower(power);
  }

  installed(): Installed | undefined {
    const text = this.marker();
    if (!text) return undefined;
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "";
    return { profile: value("profile"), generation: value("generation") };
  }

  /** What runs: the last thing that installer or system said on the console. */
  runs(): string {
    if (this.power() === "off") return "";
    const lines = readFileSync(this.console, "latin1").split("\n");
    return /LAB ([a-z ]+)/.exec(lines.findLast((line) => line.includes("LAB ")) ?? "")?.[1]?.trim() ?? "";
  }

  /** What the next start boots. The boot device is for one boot only; ipmi_sim leaves it to the machine to forget it (bmc facts §6). */
  protected nextBoot(): { targets: readonly BootTarget[]; fault: InstallerFault } {
    const order = { none: this.bootOrder, pxe: ["network", "disk"] as const, disk: ["disk"] as const }[this.bootDevice];
    this.bootDevice = "none";
    const lost = order[0] === "network" && (this.#take("pxe-lost") || this.#take("old-disk-boots"));
    const targets = lost ? order.filter((one) => one === "disk") : order;
    const fault = targets.includes("network") ? installerFaults.find((one) => this.#take(one)) : undefined;
    return { targets, fault: fault ?? "" };
  }

  /** Uses up one count of a fault; true when it was active. */
  #take(fault: MachineFault): boolean {
    const left = this.faults.get(fault);
    if (left === undefined) return false;
    if (left <= 1) this.faults.delete(fault);
    else this.faults.set(fault, left - 1);
    return true;
  }
}

/** Runs ip(8); its complaints go to the supervisor's log. */
export function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}
