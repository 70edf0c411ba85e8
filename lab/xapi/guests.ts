import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BootTarget, Machine, MachineFault, MachineSpec } from "../machine.ts";
import type { Database, Entity } from "./database.ts";
import { NULL_REF } from "./schema.ts";

/** Makes a machine of the lab's kind. */
export type MakeMachine = (spec: MachineSpec) => Machine;

interface Guest {
  machine: Machine;
  /** What it was made of; a VM that has changed gets another machine. */
  made: string;
}

/** How long a guest gets to end by itself before `clean_shutdown` gives up. */
const CLEAN_SECONDS = 60;

/** The machines that play the pool's VMs. A VM without an interface or a disk runs nothing. */
export class Guests {
  readonly #database: () => Database;
  readonly #folder: string;
  readonly #make: MakeMachine;
  /** Names that hosts of the lab have: a VM of the same name gets another console and namespace. */
  readonly #taken: ReadonlySet<string>;
  readonly #guests = new Map<string, Guest>();
  readonly #faults = new Map<string, Map<MachineFault, number>>();

  constructor(database: () => Database, folder: string, make: MakeMachine, taken: ReadonlySet<string>) {
    this.#database = database;
    this.#folder = folder;
    this.#make = make;
    this.#taken = taken;
  }

  /** Where a VDI's content lies. */
  diskFolder(vdi: Entity): string {
    return join(this.#folder, "vdi", vdi.fields.uuid);
  }

  /** Whether a VM that runs uses the VDI. */
  holds(vdi: Entity): boolean {
    return (vdi.fields.VBDs as string[]).some((ref) => this.#database().get("VBD", ref).fields.currently_attached);
  }

  /** Faults are kept by name: they can be told before the VM exists. */
  faultsOf(name: string): Map<MachineFault, number> {
    const known = this.#faults.get(name) ?? new Map<MachineFault, number>();
    this.#faults.set(name, known);
    return known;
  }

  machine(name: string): Machine | undefined {
    const vm = this.#database()
      .all("VM")
      .find((one) => one.fields.name_label === name && this.#guests.has(one.fields.uuid));
    return vm && this.#guests.get(vm.fields.uuid)?.machine;
  }

  /** The machines of VMs that ran when the lab was stopped; they are to be resumed. */
  resumable(): Machine[] {
    const running = this.#database()
      .all("VM")
      .filter((vm) => vm.fields.power_state === "Running" && !vm.fields.is_control_domain);
    return running.flatMap((vm) => {
      const machine = this.#guest(vm)?.machine;
      // A power-off that was not written down: the machine's own note is newer.
      if (machine && !existsSync(join(this.#stateFolder(vm), "powered-on"))) this.#became(vm.ref, "off");
      return machine ?? [];
    });
  }

  async start(vm: Entity): Promise<void> {
    const machine = this.#guest(vm)?.machine;
    if (!machine) return this.#became(vm.ref, "on");
    machine.bootOrder = bootOrder(vm.fields.HVM_boot_params.order);
    await machine.powerOn();
  }

  async stop(vm: Entity): Promise<void> {
    const guest = this.#guests.get(vm.fields.uuid);
    if (guest) await guest.machine.powerOff();
    this.#became(vm.ref, "off");
  }

  /** Asks the guest to end, and waits until it has. */
  async shutDown(vm: Entity): Promise<void> {
    const guest = this.#guests.get(vm.fields.uuid);
    await guest?.machine.shutDown();
    const deadline = performance.now() + CLEAN_SECONDS * 1000;
    while (guest?.machine.power() === "on" && performance.now() < deadline)
      await this.#database().nextChange(Math.max(1, deadline - performance.now()));
    await this.stop(vm);
  }

  forget(vm: Entity): void {
    this.#guests.get(vm.fields.uuid)?.machine.dispose();
    this.#guests.delete(vm.fields.uuid);
  }

  #stateFolder(vm: Entity): string {
    return join(this.#folder, "vm", vm.fields.uuid);
  }

  #guest(vm: Entity): Guest | undefined {
    const spec = this.#spec(vm);
    const known = this.#guests.get(vm.fields.uuid);
    if (known?.made === JSON.stringify(spec)) return known;
    this.forget(vm);
    if (!spec) return undefined;
    const machine = this.#make({ ...spec, name: this.#freeName(vm) });
    machine.faults = this.faultsOf(vm.fields.name_label);
    machine.bootOrder = bootOrder(vm.fields.HVM_boot_params.order);
    machine.onPower = (power) => this.#became(vm.ref, power);
    const guest = { machine, made: JSON.stringify(spec) };
    this.#guests.set(vm.fields.uuid, guest);
    return guest;
  }

  #spec(vm: Entity): MachineSpec | undefined {
    const database = this.#database();
    const vif = (vm.fields.VIFs as string[]).map((ref) => database.get("VIF", ref)).find((one) => one.fields.device === "0");
    const vbds = (vm.fields.VBDs as string[]).map((ref) => database.get("VBD", ref));
    const vbd = vbds.find((one) => one.fields.type === "Disk" && one.fields.bootable && one.fields.VDI !== NULL_REF);
    if (!vif || !vbd) return undefined;
    const vdi = database.get("VDI", vbd.fields.VDI);
    return {
      name: vm.fields.name_label,
      mac: vif.fields.MAC,
      firmware: vm.fields.HVM_boot_params.firmware === "uefi" ? "uefi" : "bios",
      disk: { folder: this.diskFolder(vdi), bytes: vdi.fields.virtual_size },
      folder: this.#stateFolder(vm),
    };
  }

  #freeName(vm: Entity): string {
    const name = String(vm.fields.name_label).replace(/[^\w.-]+/g, "-");
    const taken = this.#taken.has(name) || [...this.#guests.values()].some(({ machine }) => machine.name === name);
    return taken ? `${name}-${String(vm.fields.uuid).slice(0, 8)}` : name;
  }

  /** The record follows the machine: also when its guest switches it off, or reboots it. */
  #became(ref: string, power: "on" | "off"): void {
    const database = this.#database();
    const vm = database.all("VM").find((one) => one.ref === ref);
    if (!vm) return;
    const running = power === "on";
    database.set(vm, "power_state", running ? "Running" : "Halted");
    database.set(vm, "domid", running ? database.generation : -1);
    database.set(vm, "resident_on", running ? (database.all("host")[0]?.ref ?? NULL_REF) : NULL_REF);
    for (const device of [...database.all("VBD"), ...database.all("VIF")])
      if (device.fields.VM === ref) database.set(device, "currently_attached", running);
    database.save();
  }
}

/** XAPI's letters; CDs are not played. An empty order means `cd` (xapi facts §4). */
function bootOrder(letters: string | undefined): BootTarget[] {
  return [...(letters || "cd")].flatMap((letter): BootTarget[] => (letter === "n" ? ["network"] : letter === "c" ? ["disk"] : []));
}
