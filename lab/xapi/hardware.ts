import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import type { Database, Entity } from "./database.ts";
import { Failure } from "./failure.ts";
import { readRecord } from "./fields.ts";
import { NULL_REF } from "./schema.ts";
import type { Methods, Toolstack } from "./toolstack.ts";

/** Adds or takes a reference to or from a list that the server keeps. */
function link(database: Database, owner: Entity, field: string, ref: string, there: boolean): void {
  const others = (owner.fields[field] as string[]).filter((one) => one !== ref);
  database.set(owner, field, there ? [...others, ref] : others);
}

function charge(database: Database, storage: Entity, bytes: number): void {
  database.set(storage, "virtual_allocation", storage.fields.virtual_allocation + bytes);
  database.set(storage, "physical_utilisation", storage.fields.physical_utilisation + bytes);
}

function requireRoom({ sabotage }: Toolstack, storage: Entity, bytes: number): void {
  const room = sabotage.active("sr-full") ? 0 : storage.fields.physical_size - storage.fields.physical_utilisation;
  if (bytes > room) throw new Failure("SR_FULL", String(bytes), String(room));
}

/** A VM that is on holds its devices: they would have to be unplugged, for which the guest would need drivers. */
function requireUnplugged(kind: string, device: Entity): void {
  if (device.fields.currently_attached)
    throw new Failure(
      "OPERATION_NOT_ALLOWED",
      `${kind} '${device.fields.uuid}' still attached to '${device.fields.VM}' (currently attached)`,
    );
}

/** Positions of VBDs and VIFs are unique in their VM. */
function requireFree(database: Database, kind: "VBD" | "VIF", vm: Entity, field: string, position: string): void {
  if (database.all(kind).some((one) => one.fields.VM === vm.ref && one.fields[field] === position))
    throw new Failure("DEVICE_ALREADY_EXISTS", position);
}

/** Takes a device out of its VM and, for a VBD, its VDI. */
export function detach(database: Database, device: Entity): void {
  link(database, database.get("VM", device.fields.VM), `${device.class}s`, device.ref, false);
  if (device.class === "VBD" && device.fields.VDI !== NULL_REF)
    link(database, database.get("VDI", device.fields.VDI), "VBDs", device.ref, false);
  if (device.class === "VIF") link(database, database.get("network", device.fields.network), "VIFs", device.ref, false);
  database.delete(device);
}

/** Disks and interfaces. */
export function hardwareMethods(toolstack: Toolstack): Methods {
  const { database } = toolstack;
  return { ...diskMethods(toolstack), ...attachmentMethods(database), ...interfaceMethods(database) };
}

function diskMethods(toolstack: Toolstack): Methods {
  const { database, guests } = toolstack;
  return {
    "VDI.create": {
      parameters: ["args"],
      run(args: unknown) {
        const values = readRecord("VDI", args);
        const storage = database.get("SR", String(values.SR));
        const size = Number(values.virtual_size);
        requireRoom(toolstack, storage, size);
        const vdi = database.create("VDI", { ...values, physical_utilisation: size });
        database.set(vdi, "location", vdi.fields.uuid);
        link(database, storage, "VDIs", vdi.ref, true);
        charge(database, storage, size);
        return vdi.ref;
      },
    },
    "VDI.resize": {
      parameters: ["vdi", "size"],
      run(ref: string, wanted: unknown) {
        const vdi = database.get("VDI", ref);
        const more = Number(wanted) - vdi.fields.virtual_size;
        if (more < 0) throw new Failure("INVALID_VALUE", "size", `a VDI cannot be made smaller than ${vdi.fields.virtual_size}`);
        if (guests.holds(vdi)) throw new Failure("VDI_IN_USE", ref, "resize");
        const storage = database.get("SR", vdi.fields.SR);
        requireRoom(toolstack, storage, more);
        charge(database, storage, more);
        database.set(vdi, "virtual_size", Number(wanted));
      },
    },
    "VDI.destroy": {
      parameters: ["self"],
      run(ref: string) {
        const vdi = database.get("VDI", ref);
        if (guests.holds(vdi)) throw new Failure("VDI_IN_USE", ref, "destroy");
        for (const vbd of [...(vdi.fields.VBDs as string[])]) detach(database, database.get("VBD", vbd));
        const storage = database.get("SR", vdi.fields.SR);
        link(database, storage, "VDIs", ref, false);
        charge(database, storage, -vdi.fields.virtual_size);
        database.delete(vdi);
        rmSync(guests.diskFolder(vdi), { recursive: true, force: true });
      },
    },
  };
}

function attachmentMethods(database: Database): Methods {
  return {
    "VBD.create": {
      parameters: ["args"],
      run(args: unknown) {
        const values = readRecord("VBD", args);
        const vm = database.get("VM", String(values.VM));
        const vdi = values.VDI === NULL_REF ? undefined : database.get("VDI", String(values.VDI));
        requireFree(database, "VBD", vm, "userdevice", String(values.userdevice));
        const vbd = database.create("VBD", { ...values, empty: vdi === undefined });
        link(database, vm, "VBDs", vbd.ref, true);
        if (vdi) link(database, vdi, "VBDs", vbd.ref, true);
        return vbd.ref;
      },
    },
    "VBD.destroy": {
      parameters: ["self"],
      run(ref: string) {
        const vbd = database.get("VBD", ref);
        requireUnplugged("VBD", vbd);
        detach(database, vbd);
      },
    },
  };
}

function interfaceMethods(database: Database): Methods {
  return {
    "VIF.create": {
      parameters: ["args"],
      run(args: unknown) {
        const values = readRecord("VIF", args);
        const vm = database.get("VM", String(values.VM));
        const network = database.get("network", String(values.network));
        requireFree(database, "VIF", vm, "device", String(values.device));
        const given = String(values.MAC);
        if (given !== "" && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(given)) throw new Failure("MAC_INVALID", given);
        // The same MAC twice in the pool is taken without a word (xapi facts §4).
        const mac = given || `02:${[...randomBytes(5)].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
        const vif = database.create("VIF", { ...values, MAC: mac.toLowerCase(), MAC_autogenerated: given === "" });
        link(database, vm, "VIFs", vif.ref, true);
        link(database, network, "VIFs", vif.ref, true);
        return vif.ref;
      },
    },
    "VIF.destroy": {
      parameters: ["self"],
      run(ref: string) {
        const vif = database.get("VIF", ref);
        requireUnplugged("VIF", vif);
        detach(database, vif);
      },
    },
  };
}
