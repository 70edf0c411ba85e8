// xenserver:VirtualMachine when something goes wrong: what the operator is told, what is left behind, and that the next attempt heals it.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import type { VirtualMachineInputs, VirtualMachineOutputs } from "../../providers/xenserver/inputs.ts";
import { failure, labCredentials, ours, testContext } from "../support/context.ts";
import { fault } from "../support/lab.ts";
import { coordinator, LightVm, member, Pool, until } from "../support/xen-server.ts";

const vm = new LightVm();
const pool = new Pool();
const call = (method: string, ...params: unknown[]) => pool.api.call(method, ...params);
const server = vm.given.server;

/** Exactly one VM and one disk, whatever happened on the way. */
async function nothingTwice(): Promise<void> {
  expect((await pool.all("VM")).filter((one) => one.name_label.startsWith("management")).length).toBe(1);
  expect((await pool.all("VDI")).length).toBe(1);
}

/** The next `up` after a failed one. */
async function heals(): Promise<VirtualMachineInputs & VirtualMachineOutputs> {
  await fault("xenserver", "clear");
  await fault("management", "clear");
  const { state } = await vm.again();
  expect(state.installed).toBe(`${vm.generation} hosts-hv contract`);
  await nothingTwice();
  return state;
}

beforeAll(async () => {
  await pool.api.connect();
  await vm.around.prepare();
});

afterEach(async () => {
  await fault("xenserver", "clear");
  await fault("management", "clear");
});

afterAll(async () => {
  await vm.down();
  await vm.around.remove();
  await pool.api.disconnect();
  await closeSharedSsh();
});

describe("before anything is made", () => {
  test("a wrong password is told, with the credential's name and without the password", async () => {
    const credentials = { ...labCredentials, wrong: { user: "root", password: "not-the-password" } };
    const wrong = { ...server, credential: "wrong" };
    const error = await failure(vm.again({ server: wrong }, undefined, testContext(ours, credentials)));
    expect(error).toMatchObject({ kind: "refused", code: "SESSION_AUTHENTICATION_FAILED" });
    expect(error.message).toContain("credentials.wrong");
    expect(error.message).not.toContain("not-the-password");
  });

  test("another certificate is told with both fingerprints, and is not spoken to", async () => {
    await fault("xenserver", "wrong-certificate");
    const error = await failure(vm.again());
    expect(error).toMatchObject({ kind: "refused", code: "certificate" });
    for (const { tlsSha256 } of [coordinator, member]) expect(error.message).toContain(tlsSha256.replaceAll(":", "").toLowerCase());
  });

  test("a coordinator whose certificate is not pinned is named and not asked", async () => {
    await fault("xenserver", "slave");
    await fault("xenserver", "session-expires");
    const error = await failure(vm.again());
    expect(error).toMatchObject({ kind: "refused", code: "HOST_IS_SLAVE" });
    expect(error.message).toContain(member.address);
  });

  test.each<[string, Partial<VirtualMachineInputs>, string, string]>([
    ["template", { template: "Another media" }, "missing", "template Another media"],
    ["bridge", { bridge: "xenbr7" }, "missing", "bridges are xenbr0, xenbr1"],
    ["storage", { storage: "Third storage" }, "missing", "there are Local storage, Second storage"],
  ])("a %s that does not exist is told with what there is", async (_, change, code, text) => {
    const error = await failure(vm.again(change));
    expect(error).toMatchObject({ kind: "invalid", code });
    expect(error.message).toContain(text);
    await vm.down();
  });

  test("a VM of the same name that is nobody's is refused and left as it is", async () => {
    const ref = await pool.makeVm("management");
    const error = await failure(vm.again());
    expect(error).toMatchObject({ kind: "conflict", code: "foreign" });
    expect(error.message).toContain("carries nobody's mark");
    await vm.down();
    expect((await pool.vms()).length).toBe(1);
    await call("VM.destroy", ref);
  });

  test("a MAC that another VM has is told with that VM", async () => {
    const ref = await pool.makeVm("neighbour");
    const [network] = await call("network.get_all");
    const values = { device: "0", MAC: vm.given.mac, MTU: 1500, other_config: {}, qos_algorithm_type: "", qos_algorithm_params: {} };
    await call("VIF.create", { ...values, VM: ref, network });
    const error = await failure(vm.again());
    expect(error).toMatchObject({ kind: "conflict", code: "duplicate-mac" });
    expect(error.message).toContain("neighbour");
    await call("VM.destroy", ref);
    await vm.down();
  });
});

describe("an error of XAPI", () => {
  test.each([
    ["refused", "SR_FULL"],
    ["refused", "HOST_NOT_ENOUGH_FREE_MEMORY"],
    ["refused", "NO_HOSTS_AVAILABLE"],
    ["refused", "HOST_DISABLED"],
    ["refused", "VM_REQUIRES_SR"],
    ["refused", "VM_REQUIRES_NET"],
    ["refused", "LICENSE_RESTRICTION"],
    ["refused", "SESSION_AUTHORIZATION_FAILED"],
    ["refused", "RBAC_PERMISSION_DENIED"],
    ["refused", "USER_IS_NOT_LOCAL_SUPERUSER"],
    ["refused", "SR_BACKEND_FAILURE_46"],
    ["refused", "A_CODE_OF_TOMORROW"],
    ["conflict", "VM_BAD_POWER_STATE"],
    ["conflict", "DEVICE_ALREADY_EXISTS"],
    ["conflict", "MAP_DUPLICATE_KEY"],
    ["conflict", "OPERATION_BLOCKED"],
    ["invalid", "UUID_INVALID"],
    ["invalid", "HANDLE_INVALID"],
    ["invalid", "MESSAGE_METHOD_UNKNOWN"],
    ["invalid", "MESSAGE_PARAMETER_COUNT_MISMATCH"],
    ["invalid", "FIELD_TYPE_ERROR"],
    ["invalid", "INVALID_VALUE"],
    ["invalid", "VALUE_NOT_SUPPORTED"],
  ])("that is %s keeps its code %s and says what to do", async (kind, code) => {
    await fault("xenserver", `answers-${code}`, "1");
    const error = await failure(vm.again());
    expect(error).toMatchObject({ kind, code });
    expect(error.remedy).toBeTruthy();
    expect(await pool.vms()).toEqual([]);
  });

  test.each([
    "HOST_STILL_BOOTING",
    "OTHER_OPERATION_IN_PROGRESS",
    "TOO_MANY_PENDING_TASKS",
    "CANNOT_CONTACT_HOST",
    "VDI_IN_USE",
    "SESSION_INVALID",
  ])("that passes, %s, is waited out", async (code) => {
    await fault("xenserver", `answers-${code}`, "1");
    // Goes on to the next thing that is wrong, which nothing waits out.
    const error = await failure(vm.again({ bridge: "xenbr7" }));
    expect(error.code).toBe("missing");
    await vm.down();
  });
});

describe("what fails half-way", () => {
  test("a full repository leaves the VM, and the next attempt goes on with it", async () => {
    await fault("xenserver", "sr-full");
    const error = await failure(vm.up());
    expect(error).toMatchObject({ kind: "refused", code: "SR_FULL" });
    const [before] = await pool.vms();
    expect((await heals()).uuid).toBe(before.uuid);
  });

  test("a start that fails leaves everything else in place", async () => {
    await fault("xenserver", "task-fails", "2");
    const error = await failure(vm.up());
    expect(error).toMatchObject({ kind: "refused", code: "INTERNAL_ERROR" });
    await heals();
  });

  test("a task that never ends is given up in time and cancelled", async () => {
    await fault("xenserver", "task-hangs", "1");
    const error = await failure(vm.up({ powerSeconds: 1 }));
    expect(error).toMatchObject({ kind: "timeout" });
    expect(error.message).toContain("waited 1 s for its task to end");
    expect(await pool.all("task")).toEqual([]);
    await heals();
  });

  test("connections that are cut after each call was done lose nothing and make nothing twice", async () => {
    await vm.down();
    await fault("xenserver", "connection-cut", "5");
    await vm.up();
    await nothingTwice();
  });

  test("a toolstack that answers HTTP 500 for a while is waited out", async () => {
    await vm.down();
    await fault("xenserver", "http-500", "3");
    await vm.up();
    await nothingTwice();
  });

  test("a server that is away for a while is waited out", async () => {
    await fault("xenserver", "down");
    const up = vm.up();
    setTimeout(() => void fault("xenserver", "clear"), 1500);
    expect((await up).outputs.installed).toBe(`${vm.generation} hosts-hv contract`);
    await nothingTwice();
  });

  test("a session that expires in the middle is renewed", async () => {
    const context = testContext();
    const expire = setInterval(() => void fault("xenserver", "session-expires"), 700);
    await vm.up({}, undefined, context).finally(() => clearInterval(expire));
    // xen-api has lost its session, too, and logs in again.
    await nothingTwice();
  });

  test("a coordinator that changes meanwhile is followed to the host that is pinned", async () => {
    const pinned = { ...server, members: { [member.address]: member.tlsSha256 } };
    await vm.again({ server: pinned });
    await fault("xenserver", "slave");
    expect((await vm.up({ server: pinned })).outputs.installed).toBe(`${vm.generation} hosts-hv contract`);
  });
});

describe("an installation", () => {
  test("whose network boot got lost once is tried again", async () => {
    await fault("management", "pxe-lost", "1");
    const { phases } = await vm.up();
    expect(phases).toContain("warning: the network boot got lost; it is tried once more");
  });

  test("that switches the VM off is told, and the next attempt heals it", async () => {
    await fault("management", "install-powers-off", "1");
    const error = await failure(vm.up());
    expect(error).toMatchObject({ code: "powered-off" });
    await heals();
  });

  test("that is deleted by hand while it runs is told, and made anew", async () => {
    // Only a new one is known to be that which installs, once it runs.
    await vm.down();
    await fault("management", "install-hangs", "1");
    const up = failure(vm.up({ installSeconds: 20 }));
    await until("the VM to run", async () => (await pool.vms())[0]?.power_state === "Running");
    await fault("management", "deleted");
    const error = await up;
    // By its uuid or by its reference, whichever was asked next.
    expect(["UUID_INVALID", "HANDLE_INVALID"]).toContain(error.code);
    expect(error.remedy).toContain("run `pulumi up` again");
    await heals();
  });
});
