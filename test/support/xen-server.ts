import { readFileSync } from "node:fs";
import { join } from "node:path";
// An independent client: what it sees is not what our own client believes.
// @ts-expect-error: it has no typings
import { createClient } from "xen-api";
import { parse } from "yaml";
import { waitFor } from "../../providers/kernel/index.ts";
import { virtualMachine } from "../../providers/xenserver/index.ts";
import type { VirtualMachineInputs, VirtualMachineOutputs } from "../../providers/xenserver/inputs.ts";
import { apply, drop, labCredentials, testContext } from "./context.ts";
import { LightHost } from "./light-host.ts";

const inventory = parse(readFileSync(join(import.meta.dirname, "../../environments/lab/inventory.yaml"), "utf8")) as {
  xenServers: Record<string, { address: string; tlsSha256: string }>;
};
function hostOf(name: string): { address: string; tlsSha256: string } {
  const found = inventory.xenServers[name];
  if (!found) throw new Error(`the lab's inventory has no ${name}`);
  return found;
}
export const coordinator = hostOf("xenserver");
export const member = hostOf("xenserver-2");

// biome-ignore lint/suspicious/noExplicitAny: records of a remote API
export type Answer = any;

export interface XenApi {
  call(method: string, ...params: unknown[]): Promise<Answer>;
  callAsync(method: string, ...params: unknown[]): Promise<Answer>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  objectsFetched: Promise<void>;
}

/** npm's `xen-api` at the lab's XenServer. */
export function xenApi(options: object = {}): XenApi {
  const { user, password } = labCredentials.xenserver as { user: string; password: string };
  const url = `https://${coordinator.address}`;
  return createClient({ url, auth: { user, password }, allowUnauthorized: true, watchEvents: false, ...options }) as XenApi;
}

/** The VM `management` of the lab, with everything around it that has to be there before it can install. */
export class LightVm {
  readonly around = new LightHost("management", "41");
  readonly given: VirtualMachineInputs;
  #generation = 0;

  constructor() {
    const { bmc: _, ...installation } = this.around.inputs;
    this.given = virtualMachine.inputs.parse({
      ...installation,
      server: coordinator,
      memoryMiB: 256,
      diskGiB: 1,
      powerSeconds: 30,
    }) as unknown as VirtualMachineInputs;
  }

  get generation(): string {
    return `${this.#generation}`;
  }

  /** One `up`, by default with a new generation. */
  async up(change: Partial<VirtualMachineInputs> = {}, previous?: VirtualMachineInputs & VirtualMachineOutputs, context = testContext()) {
    const inputs = { ...this.given, generation: `${++this.#generation}`, ...change };
    const { outputs, phases } = await apply(virtualMachine, inputs, context, previous);
    return { outputs, phases, state: { ...inputs, ...outputs } };
  }

  /** The next `up` after a failed one, or one with another input: the same generation once more. */
  again(change: Partial<VirtualMachineInputs> = {}, previous?: VirtualMachineInputs & VirtualMachineOutputs, context = testContext()) {
    return this.up({ generation: `${this.#generation--}`, ...change }, previous, context);
  }

  down(context = testContext()): Promise<string[]> {
    return drop(virtualMachine, this.given, context);
  }

  /** What a refresh sees. */
  look(previous: VirtualMachineInputs & VirtualMachineOutputs) {
    return virtualMachine.observe({ ...testContext(), operation: "read" }, previous, previous);
  }
}

/** What is on the lab's XenServer, as somebody else sees it. */
export class Pool {
  readonly api = xenApi();

  async all(kind: string): Promise<Answer[]> {
    return Object.values(await this.api.call(`${kind}.get_all_records`));
  }

  /** VMs of this name, without templates. */
  async vms(name = "management"): Promise<Answer[]> {
    return (await this.all("VM")).filter((one) => one.name_label === name && !one.is_a_template);
  }

  async disks(): Promise<Answer[]> {
    return this.all("VDI");
  }

  /** The reference of the VM of that name. */
  async ref(name = "management"): Promise<string> {
    const [ref] = await this.api.call("VM.get_by_name_label", name);
    return ref;
  }

  /** A VM made by hand. */
  async makeVm(name: string): Promise<string> {
    const [template] = await this.api.call("VM.get_by_name_label", "Other install media");
    const vm = await this.api.call("VM.clone", template, name);
    await this.api.call("VM.provision", vm);
    return vm;
  }
}

/** Waits for something on the lab's XenServer or in a guest of it. */
export function until(what: string, probe: () => Promise<unknown>): Promise<void> {
  const options = { timeoutSeconds: 20, everySeconds: 0.1, object: "management", system: "the test" };
  return waitFor(what, testContext(), options, async () => {
    const seen = await probe();
    return seen === true ? { done: undefined } : { seen: String(seen) };
  });
}
