// The lab's XenServer, driven by public clients that know nothing of it: npm's xen-api over both transports, Python's XenAPI.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { labCredentials } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { coordinator, member, type XenApi, xenApi } from "../support/xen-server.ts";

const GIB = 2 ** 30;

afterEach(() => fault("xenserver", "clear"));

test("Python's XenAPI works through the life of a VM", () => {
  const { user = "", password = "" } = labCredentials.xenserver ?? {};
  const program = join(import.meta.dirname, "../support/xen-client.py");
  const environment = { ...process.env, PYTHONPATH: "/usr/lib/cloudstack-testbed/cobbler" };
  const args = [program, `https://${coordinator.address}`, user, password];
  const output = execFileSync("/usr/bin/python3", args, { encoding: "utf8", env: environment, timeout: 60_000 });
  expect(JSON.parse(output)).toEqual({
    "wrong password": "SESSION_AUTHENTICATION_FAILED",
    version: "2.21",
    memory: `${4 * GIB}`,
    "memory then": `${GIB / 4}`,
    "order violated": "MEMORY_CONSTRAINT_VIOLATION_ORDER",
    "a number of 64 bits": `${400 * GIB}`,
    "a float": 1,
    event: true,
    "event then": [["mod", "changed"]],
    task: "success",
    gone: "HANDLE_INVALID",
    "after logout": "SESSION_INVALID",
  });
});

test("xen-api sees every change while it watches, and follows its tasks by events", async () => {
  const xapi = xenApi({ watchEvents: ["pool", "VM", "task"] });
  await xapi.connect();
  await xapi.objectsFetched;
  const [template] = await xapi.call("VM.get_by_name_label", "Other install media");
  const vm = await xapi.callAsync("VM.clone", template, "watched");
  expect(await xapi.call("VM.get_name_label", vm)).toBe("watched");
  await expect(xapi.callAsync("VM.start", vm, false, false)).rejects.toMatchObject({ code: "VM_IS_TEMPLATE" });
  await xapi.callAsync("VM.destroy", vm);
  await xapi.disconnect();
});

describe.each(["json-rpc", "xml-rpc"])("xen-api over %s", (transport) => {
  let xapi: XenApi;
  let vm: string;
  let storage: string;
  let network: string;

  const code = async (method: string, ...params: unknown[]) => {
    try {
      await xapi.call(method, ...params);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "none";
  };
  const disk = (change: object = {}) => ({
    name_label: "disk",
    name_description: "",
    SR: storage,
    virtual_size: GIB,
    type: "user",
    sharable: false,
    read_only: false,
    other_config: {},
    ...change,
  });
  const vbd = (vdi: string, change: object = {}) => ({
    VM: vm,
    VDI: vdi,
    userdevice: "0",
    bootable: true,
    mode: "RW",
    type: "Disk",
    unpluggable: true,
    empty: false,
    other_config: { owner: "" },
    qos_algorithm_type: "",
    qos_algorithm_params: {},
    ...change,
  });
  const vif = (change: object = {}) => ({
    VM: vm,
    network,
    device: "0",
    MAC: "52:54:00:91:00:99",
    MTU: 1500,
    other_config: {},
    qos_algorithm_type: "",
    qos_algorithm_params: {},
    ...change,
  });

  beforeAll(async () => {
    xapi = xenApi({ transport });
    await xapi.connect();
    const [template] = await xapi.call("VM.get_by_name_label", "Other install media");
    [storage] = await xapi.call("SR.get_by_name_label", "Local storage");
    [network] = await xapi.call("network.get_all");
    vm = await xapi.call("VM.clone", template, transport);
  });

  afterAll(async () => {
    await xapi.call("VM.destroy", vm);
    await xapi.disconnect();
  });

  test("a clone of a template is a template until it is provisioned, once", async () => {
    expect(await code("VM.start", vm, false, false)).toBe("VM_IS_TEMPLATE");
    await xapi.call("VM.provision", vm);
    expect(await xapi.call("VM.get_is_a_template", vm)).toBe(false);
    expect(await code("VM.provision", vm)).toBe("PROVISION_ONLY_ALLOWED_ON_TEMPLATE");
  });

  test("a reference and a uuid are not the same, and neither serves for the other", async () => {
    const uuid = await xapi.call("VM.get_uuid", vm);
    expect(await xapi.call("VM.get_by_uuid", uuid)).toBe(vm);
    expect(await code("VM.get_record", uuid)).toBe("HANDLE_INVALID");
    expect(await code("VM.get_by_uuid", vm)).toBe("UUID_INVALID");
  });

  test("a key of a map is added once, and removed any number of times", async () => {
    await xapi.call("VM.add_to_other_config", vm, "key", "value");
    expect(await code("VM.add_to_other_config", vm, "key", "other")).toBe("MAP_DUPLICATE_KEY");
    await xapi.call("VM.remove_from_other_config", vm, "key");
    await xapi.call("VM.remove_from_other_config", vm, "key");
    expect(await xapi.call("VM.get_other_config", vm)).not.toHaveProperty("key");
  });

  test.each([
    ["VM.no_such_method", "MESSAGE_METHOD_UNKNOWN"],
    ["VM.clone", "MESSAGE_PARAMETER_COUNT_MISMATCH"],
  ])("%s without parameters answers %s", async (method, expected) => {
    expect(await code(method)).toBe(expected);
  });

  test("values of a wrong type or range are refused", async () => {
    expect(await code("VM.set_VCPUs_max", vm, "many")).toBe("FIELD_TYPE_ERROR");
    expect(await code("VM.set_VCPUs_at_startup", vm, 2)).toBe("INVALID_VALUE");
    expect(await code("VM.set_HVM_boot_params", vm, { firmware: "openfirmware" })).toBe("INVALID_VALUE");
    expect(await code("VIF.create", vif({ MAC: "52:54" }))).toBe("MAC_INVALID");
  });

  test("disks: a mandatory field, room, a position, a size that only grows, and a VM whose removal leaves them", async () => {
    const { virtual_size: _, ...without } = disk();
    expect(await code("VDI.create", without)).toBe("INTERNAL_ERROR");
    expect(await code("VDI.create", disk({ virtual_size: 500 * GIB }))).toBe("SR_FULL");
    const vdi = await xapi.call("VDI.create", disk());
    const [first, second] = [await xapi.call("VBD.create", vbd(vdi)), await code("VBD.create", vbd(vdi))];
    expect(second).toBe("DEVICE_ALREADY_EXISTS");
    expect(await code("VDI.resize", vdi, GIB / 2)).toBe("INVALID_VALUE");
    await xapi.call("VDI.resize", vdi, 2 * GIB);
    expect(Number(await xapi.call("VDI.get_virtual_size", vdi))).toBe(2 * GIB);
    const copy = await xapi.call("VM.clone", vm, "copy");
    await xapi.call("VBD.create", vbd(vdi, { VM: copy }));
    await xapi.call("VM.destroy", copy);
    expect(await xapi.call("VDI.get_VBDs", vdi)).toEqual([first]);
    await xapi.call("VDI.destroy", vdi);
    expect(await xapi.call("VM.get_VBDs", vm)).toEqual([]);
  });

  test("power: what may be done in which state, and devices that a running VM holds", async () => {
    expect(await code("VM.hard_shutdown", vm)).toBe("VM_BAD_POWER_STATE");
    const device = await xapi.call("VIF.create", vif());
    await xapi.call("VM.start", vm, false, false);
    expect(await xapi.call("VM.get_power_state", vm)).toBe("Running");
    for (const [method, ...params] of [
      ["VM.destroy"],
      ["VM.start", false, false],
      ["VM.set_memory_limits", 1, 1, 1, 1],
      ["VM.set_VCPUs_max", 2],
    ])
      expect(await code(String(method), vm, ...params)).toBe("VM_BAD_POWER_STATE");
    expect(await code("VIF.destroy", device)).toBe("OPERATION_NOT_ALLOWED");
    await xapi.call("VM.set_name_description", vm, "changed while it runs");
    await fault("xenserver", "no-tools");
    expect(await code("VM.clean_shutdown", vm)).toBe("VM_LACKS_FEATURE");
    await xapi.call("VM.hard_shutdown", vm);
    await xapi.call("VIF.destroy", device);
    expect(await xapi.call("VM.get_power_state", vm)).toBe("Halted");
  });

  test("a blocked operation names its reason", async () => {
    await xapi.call("VM.set_blocked_operations", vm, { start: "maintenance" });
    await expect(xapi.call("VM.start", vm, false, false)).rejects.toMatchObject({ code: "OPERATION_BLOCKED", params: [vm, "maintenance"] });
    await xapi.call("VM.set_blocked_operations", vm, {});
  });

  test("two operations on one VM at the same time are not taken", async () => {
    const device = await xapi.call("VIF.create", vif());
    const both = await Promise.all([code("VM.start", vm, false, false), code("VM.start", vm, false, false)]);
    expect(both.filter((one) => one !== "none").length).toBe(1);
    await xapi.call("VM.hard_shutdown", vm);
    await xapi.call("VIF.destroy", device);
  });
});

describe("both hosts of the pool", () => {
  const login = async (address: string) => {
    const { user, password } = labCredentials.xenserver ?? {};
    const program = `
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
      const body = JSON.stringify({ jsonrpc: "2.0", method: "session.login_with_password", params: ${JSON.stringify([user, password])}, id: 1 });
      const answer = await fetch("https://${address}/jsonrpc", { method: "POST", headers: { "content-type": "application/json" }, body });
      console.log(await answer.text());`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return JSON.parse(output) as { error?: { message: string; data: string[] }; result?: string };
  };

  test("name the coordinator, before they look at the password", async () => {
    expect((await login(coordinator.address)).result).toMatch(/^OpaqueRef:/);
    expect((await login(member.address)).error).toMatchObject({ message: "HOST_IS_SLAVE", data: [coordinator.address] });
  });

  test("change their roles when told to", async () => {
    await fault("xenserver", "slave");
    expect((await login(coordinator.address)).error).toMatchObject({ message: "HOST_IS_SLAVE", data: [member.address] });
    expect((await login(member.address)).result).toMatch(/^OpaqueRef:/);
  });
});
