/** XAPI's "no such object". */
export const NULL_REF = "OpaqueRef:NULL";

/** 64-bit integers come as numbers or as text, by transport and release (xapi facts §1). */
export type Integer = number | string;

/** The fields used here of XAPI's records. */
export interface VmRecord {
  uuid: string;
  name_label: string;
  name_description: string;
  power_state: "Halted" | "Paused" | "Running" | "Suspended";
  is_a_template: boolean;
  is_a_snapshot: boolean;
  is_control_domain: boolean;
  is_default_template?: boolean;
  memory_static_min: Integer;
  memory_static_max: Integer;
  memory_dynamic_min: Integer;
  memory_dynamic_max: Integer;
  VCPUs_max: Integer;
  VCPUs_at_startup: Integer;
  HVM_boot_policy: string;
  HVM_boot_params: Record<string, string>;
  other_config: Record<string, string>;
  /** By operation, the code with which it is refused. */
  blocked_operations: Record<string, string>;
  VBDs: string[];
  VIFs: string[];
}

export interface VbdRecord {
  uuid: string;
  VM: string;
  VDI: string;
  userdevice: string;
  type: "Disk" | "CD" | "Floppy";
}

export interface VdiRecord {
  uuid: string;
  name_label: string;
  SR: string;
  virtual_size: Integer;
  VBDs: string[];
  other_config: Record<string, string>;
}

export interface VifRecord {
  uuid: string;
  VM: string;
  device: string;
  MAC: string;
  network: string;
}

export interface NetworkRecord {
  uuid: string;
  name_label: string;
  bridge: string;
}

export interface SrRecord {
  uuid: string;
  name_label: string;
  physical_size: Integer;
  physical_utilisation: Integer;
}

export interface PoolRecord {
  master: string;
  default_SR: string;
}

export type Records<T> = Record<string, T>;

/** References are opaque and may change: an object is its reference of now and its record. */
export interface Found<T> {
  ref: string;
  record: T;
}
