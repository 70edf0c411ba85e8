import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BootTarget, type InstallerFault, ip, Machine, type MachineFolders, type MachineSpec, type PowerState } from "../machine.ts";

/** The disk takes the largest image with room to spare; it is sparse. */
const DISK_BYTES = 96 * 2 ** 20;
/** Where the system's file system begins on the disk (lab/guest/build.sh). */
const ROOT_OFFSET = 53248 * 512;
const OVMF_CODE = "/usr/share/OVMF/OVMF_CODE.fd";
const OVMF_VARIABLES = "/usr/share/OVMF/OVMF_VARS.fd";

/** A host with emulated CPU (TCG) and real firmware: SeaBIOS or OVMF, iPXE in the network card's ROM, a disk, a serial console. */
export class QemuMachine extends Machine {
  #child: ChildProcess | undefined;
  readonly #machine: MachineSpec;
  readonly #disk: string;
  readonly #tap: string;

  constructor(machine: MachineSpec, folders: MachineFolders, index: number) {
    super(machine, folders);
    this.#machine = machine;
    const folder = machine.disk?.folder ?? this.folder;
    mkdirSync(folder, { recursive: true });
    this.#disk = join(folder, "disk.img");
    if (!existsSync(this.#disk)) writeFileSync(this.#disk, "");
    truncateSync(this.#disk, Math.max(statSync(this.#disk).size, machine.disk?.bytes ?? DISK_BYTES));
    if (machine.firmware === "uefi" && !existsSync(this.#variables)) copyFileSync(OVMF_VARIABLES, this.#variables);
    // Interface names have 15 characters at most, host names more: the index is short and unique.
    this.#tap = `qemu${index}`;
    ip("tuntap", "add", this.#tap, "mode", "tap");
    ip("link", "set", this.#tap, "master", "br0", "up");
  }

  get #variables(): string {
    return join(this.folder, "uefi-variables.fd");
  }

  power(): PowerState {
    return this.#child ? "on" : "off";
  }

  async powerOn(): Promise<void> {
    if (!this.#child) this.#start();
  }

  dispose(): void {
    ip("link", "del", this.#tap);
  }

  #start(): void {
    const { targets, fault } = this.nextBoot();
    const errors = openSync(this.console, "a");
    const child = spawn("qemu-system-x86_64", this.#arguments(targets, fault), { stdio: ["pipe", "pipe", errors] });
    closeSync(errors);
    this.#child = child;
    this.note("on");
    let reason: string | undefined;
    // The only place that tells a guest's reboot from its power-off: QEMU exits with 0 after both.
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const message = JSON.parse(line) as { event?: string; data?: { reason?: string } };
      if (message.event === "SHUTDOWN") reason = message.data?.reason;
    });
    child.stdin?.on("error", () => undefined); // QEMU ended; its exit tells
    this.#tell("qmp_capabilities");
    child.once("error", () => this.#ended(child));
    // `close`, not `exit`: the last event has been read by then.
    child.once("close", () => this.#ended(child) && reason === "guest-reset" && this.#start());
  }

  #ended(child: ChildProcess): boolean {
    if (this.#child !== child) return false;
    this.#child = undefined;
    this.note("off");
    return true;
  }

  #arguments(targets: readonly BootTarget[], fault: InstallerFault): string[] {
    const { mac, firmware } = this.#machine;
    const index = (target: BootTarget) => (targets.includes(target) ? `,bootindex=${targets.indexOf(target) + 1}` : "");
    return [
      // graphics=off sends the texts of SeaBIOS and iPXE to the serial console.
      ...["-machine", "pc,graphics=off", "-accel", "tcg", "-cpu", "max", "-m", firmware === "uefi" ? "256" : "128"],
      ...["-nodefaults", "-no-user-config", "-display", "none"],
      ...(firmware === "uefi"
        ? ["-drive", `if=pflash,format=raw,readonly=on,file=${OVMF_CODE}`, "-drive", `if=pflash,format=raw,file=${this.#variables}`]
        : []),
      ...["-chardev", `file,id=console,append=on,path=${this.console}`, "-serial", "chardev:console"],
      ...["-chardev", "stdio,id=qmp", "-mon", "chardev=qmp,mode=control"],
      ...["-netdev", `tap,id=net,ifname=${this.#tap},script=no,downscript=no`],
      // strict: a blank disk must not fall through to the network by itself.
      ...["-boot", "strict=on", "-device", `virtio-net-pci,netdev=net,mac=${mac}${index("network") || ",romfile="}`],
      // QEMU's end is the host's, whose page cache stays: nothing is lost.
      ...["-drive", `id=disk,if=none,format=raw,cache=unsafe,file=${this.#disk}`, "-device", `virtio-blk-pci,drive=disk${index("disk")}`],
      // The installer reads what it shall do wrong from the machine's serial number (lab/guest/init.sh).
      ...["-smbios", `type=1,manufacturer=testbed,product=lab,serial=${fault || "none"}`],
      // A guest's reboot ends QEMU, and the machine starts anew: faster than a reset under TCG, and RSS does not grow.
      "-no-reboot",
    ];
  }

  #tell(command: string): void {
    this.#child?.stdin?.write(`${JSON.stringify({ execute: command })}\n`);
  }

  async powerOff(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async shutDown(): Promise<void> {
    this.#tell("system_powerdown");
  }

  protected marker(): string | undefined {
    try {
      return execFileSync("debugfs", ["-R", "cat /etc/testbed-install", `${this.#disk}?offset=${ROOT_OFFSET}`], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      return undefined; // a blank disk has no file system
    }
  }
}
