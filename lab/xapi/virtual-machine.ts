import { randomUUID } from "node:crypto";
import type { Entity } from "./database.ts";
import { Failure } from "./failure.ts";
import { incoming } from "./fields.ts";
import { detach } from "./hardware.ts";
import { exclusively, type Methods, type Toolstack } from "./toolstack.ts";

type PowerState = "Halted" | "Paused" | "Running" | "Suspended";

/** In which power states what may be done (xapi facts §6). */
const allowed: Record<string, readonly PowerState[]> = {
  start: ["Halted"],
  clone: ["Halted"],
  provision: ["Halted"],
  destroy: ["Halted", "Suspended"],
  clean_shutdown: ["Running"],
  clean_reboot: ["Running"],
  hard_shutdown: ["Running", "Paused", "Suspended"],
  hard_reboot: ["Running", "Paused"],
  changing_memory_limits: ["Halted"],
  changing_VCPUs: ["Halted"],
  changing_dynamic_range: ["Halted", "Running"],
};

const GIB = 2 ** 30;
/** What the pool's one hypervisor has for guests. */
const HOST_MEMORY = 64 * GIB;

function requireState(vm: Entity, operation: string): void {
  const states = allowed[operation] ?? [];
  if (operation in vm.fields.blocked_operations) throw new Failure("OPERATION_BLOCKED", vm.ref, vm.fields.blocked_operations[operation]);
  if (!states.includes(vm.fields.power_state))
    throw new Failure("VM_BAD_POWER_STATE", vm.ref, (states[0] ?? "").toLowerCase(), vm.fields.power_state.toLowerCase());
}

export function virtualMachineMethods(toolstack: Toolstack): Methods {
  return { ...lifeMethods(toolstack), ...powerMethods(toolstack), ...shapeMethods(toolstack) };
}

function lifeMethods({ database, guests }: Toolstack): Methods {
  const get = (ref: string) => database.get("VM", ref);
  return {
    "VM.clone": {
      parameters: ["vm", "new_name"],
      run(ref: string, name: string) {
        const vm = get(ref);
        requireState(vm, "clone");
        const { default_template: _, ...config } = vm.fields.other_config;
        return database.create("VM", {
          ...structuredClone(vm.fields),
          uuid: randomUUID(),
          name_label: name,
          // A clone of a template is a template until it is provisioned.
          is_default_template: false,
          other_config: { ...config, base_template_name: vm.fields.name_label, mac_seed: randomUUID() },
          blocked_operations: {},
          current_operations: {},
          VBDs: [],
          VIFs: [],
        }).ref;
      },
    },
    "VM.provision": {
      parameters: ["vm"],
      run: (ref: string) => {
        const vm = get(ref);
        if (!vm.fields.is_a_template) throw new Failure("PROVISION_ONLY_ALLOWED_ON_TEMPLATE");
        requireState(vm, "provision");
        return exclusively(database, vm, "provision", async () => database.set(vm, "is_a_template", false));
      },
    },
    "VM.destroy": {
      parameters: ["self"],
      run: (ref: string) => {
        const vm = get(ref);
        if (vm.fields.is_default_template) throw new Failure("VM_CANNOT_DELETE_DEFAULT_TEMPLATE", ref);
        requireState(vm, "destroy");
        return exclusively(database, vm, "destroy", async () => guests.forget(vm)).then(() => {
          for (const kind of ["VBD", "VIF"]) for (const one of database.all(kind)) if (one.fields.VM === ref) detach(database, one);
          // Its disks stay: nobody but who made them removes them.
          database.delete(vm);
        });
      },
    },
  };
}

function powerMethods({ database, guests, sabotage }: Toolstack): Methods {
  /** A method that takes a VM through a change of its power. */
  const power = (operation: string, work: (vm: Entity) => Promise<void>, more: string[] = []) => ({
    parameters: ["vm", ...more],
    optional: more.length,
    run(ref: string) {
      const vm = database.get("VM", ref);
      if (vm.fields.is_a_template) throw new Failure("VM_IS_TEMPLATE", ref, operation);
      if (vm.fields.is_control_domain) throw new Failure("OPERATION_NOT_ALLOWED", "this is the control domain");
      requireState(vm, operation);
      return exclusively(database, vm, operation, () => work(vm));
    },
  });
  const requireTools = (vm: Entity) => {
    if (sabotage.active("no-tools")) throw new Failure("VM_LACKS_FEATURE", vm.ref);
  };
  return {
    "VM.start": power(
      "start",
      async (vm) => {
        requireMemory(vm);
        await guests.start(vm);
      },
      ["start_paused", "force"],
    ),
    "VM.hard_shutdown": power("hard_shutdown", (vm) => guests.stop(vm)),
    "VM.clean_shutdown": power("clean_shutdown", async (vm) => {
      requireTools(vm);
      await guests.shutDown(vm);
    }),
    "VM.hard_reboot": power("hard_reboot", async (vm) => {
      await guests.stop(vm);
      await guests.start(vm);
    }),
    "VM.clean_reboot": power("clean_reboot", async (vm) => {
      requireTools(vm);
      await guests.shutDown(vm);
      await guests.start(vm);
    }),
  };

  function requireMemory(vm: Entity): void {
    const others = database.all("VM").filter((one) => one.fields.power_state === "Running" && !one.fields.is_control_domain);
    const free = HOST_MEMORY - others.reduce((sum, one) => sum + one.fields.memory_dynamic_max, 0);
    const needed = vm.fields.memory_dynamic_max;
    if (needed > free) throw new Failure("HOST_NOT_ENOUGH_FREE_MEMORY", String(needed), String(free));
    if (!database.all("host").some((host) => host.fields.enabled)) throw new Failure("NO_HOSTS_AVAILABLE");
  }
}

function shapeMethods({ database }: Toolstack): Methods {
  const number = (name: string, value: unknown) => incoming(name, { type: "int" }, value) as number;
  const cpus = (field: "VCPUs_max" | "VCPUs_at_startup") => ({
    parameters: ["self", "value"],
    run(ref: string, value: unknown) {
      const vm = database.get("VM", ref);
      requireState(vm, "changing_VCPUs");
      const wanted = { VCPUs_max: vm.fields.VCPUs_max, VCPUs_at_startup: vm.fields.VCPUs_at_startup, [field]: number(field, value) };
      if (wanted.VCPUs_at_startup < 1 || wanted.VCPUs_at_startup > wanted.VCPUs_max)
        throw new Failure("INVALID_VALUE", field, `${value}: there must be 0 < VCPUs_at_startup <= VCPUs_max`);
      database.set(vm, field, number(field, value));
    },
  });
  const memory = (ref: string, limits: Record<string, number>, operation = "changing_memory_limits") => {
    const vm = database.get("VM", ref);
    requireState(vm, operation);
    const wanted = { ...vm.fields, ...limits } as Record<string, number>;
    const order = ["memory_static_min", "memory_dynamic_min", "memory_dynamic_max", "memory_static_max"].map((one) => wanted[one] ?? 0);
    if (order.some((value, index) => index > 0 && value < (order[index - 1] ?? 0))) throw new Failure("MEMORY_CONSTRAINT_VIOLATION_ORDER");
    Object.assign(vm.fields, limits);
    database.touch(vm);
  };
  const bootParameters = (ref: string, value: unknown) => {
    const params = incoming("HVM_boot_params", { type: "map" }, value) as Record<string, string>;
    if (params.firmware !== undefined && !["bios", "uefi"].includes(params.firmware))
      throw new Failure("INVALID_VALUE", "HVM_boot_params", params.firmware);
    database.set(database.get("VM", ref), "HVM_boot_params", params);
  };
  return {
    "VM.set_VCPUs_max": cpus("VCPUs_max"),
    "VM.set_VCPUs_at_startup": cpus("VCPUs_at_startup"),
    "VM.set_HVM_boot_params": { parameters: ["self", "value"], run: bootParameters },
    "VM.set_memory_limits": {
      parameters: ["self", "static_min", "static_max", "dynamic_min", "dynamic_max"],
      run(ref: string, ...values: unknown[]) {
        const names = ["memory_static_min", "memory_static_max", "memory_dynamic_min", "memory_dynamic_max"];
        memory(ref, Object.fromEntries(names.map((name, index) => [name, number(name, values[index])])));
      },
    },
    "VM.set_memory_dynamic_range": {
      parameters: ["self", "min", "max"],
      run: (ref: string, min: unknown, max: unknown) =>
        memory(ref, { memory_dynamic_min: number("min", min), memory_dynamic_max: number("max", max) }, "changing_dynamic_range"),
    },
    ...Object.fromEntries(
      ["memory_static_min", "memory_static_max", "memory_dynamic_min", "memory_dynamic_max"].map((name) => [
        `VM.set_${name}`,
        { parameters: ["self", "value"], run: (ref: string, value: unknown) => memory(ref, { [name]: number(name, value) }) },
      ]),
    ),
  };
}
