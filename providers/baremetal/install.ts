import { beginInstall, installState, renderAnswerFile } from "../cobbler/index.ts";
import { type Context, errorText, TestbedError } from "../kernel/index.ts";
import { type HostInputs, type HostOutputs, identityOf, outputs, powerOf } from "./machine.ts";
import type { PowerControl } from "./power.ts";
import type { Identity } from "./proof.ts";

/** How often the machine is looked at while it installs. */
const LOOK_MILLISECONDS = 250;

/** Times the phases of one installation, and shows each as it begins. */
class Phases {
  readonly list: HostOutputs["phases"] = [];
  readonly #context: Context;
  #current: string | undefined;
  #since = performance.now();

  constructor(context: Context) {
    this.#context = context;
  }

  begin(phase: string): void {
    if (phase === this.#current) return;
    this.end();
    this.#current = phase;
    this.#context.phase(phase);
  }

  end(): void {
    const now = performance.now();
    if (this.#current !== undefined) this.list.push({ phase: this.#current, seconds: Math.round(now - this.#since) / 1000 });
    this.#since = now;
  }
}

/** Installs the machine and returns when the new system has proved itself. One network boot that got lost is tried again. */
export async function install(context: Context, inputs: HostInputs, token: string): Promise<HostOutputs> {
  const phases = new Phases(context);
  const power = powerOf(context, inputs.bmc);
  context.touched();
  phases.begin("arming cobbler");
  await beginInstall(context, inputs.cobbler, inputs.system, { token, generation: inputs.generation });
  const answer = await renderAnswerFile(context, inputs.cobbler, inputs.system);
  if (!answer.includes(token)) {
    throw failure(
      inputs,
      "token-missing",
      "its answer file does not contain the install token",
      "write $getVar('install_token') into /etc/testbed-install in the answer file",
    );
  }
  const began = performance.now();
  await startFromNetwork(power, phases);
  for (let retried = false; ; retried = true) {
    const result = await watch(context, inputs, power, token, phases, began, retried);
    if (result !== "network boot lost") {
      phases.end();
      return outputs(inputs, result, phases.list);
    }
    context.warn("the network boot got lost; it is tried once more");
    await startFromNetwork(power, phases);
  }
}

async function startFromNetwork(power: PowerControl, phases: Phases): Promise<void> {
  phases.begin("powering off");
  await power.set("off");
  phases.begin("arming PXE");
  await power.bootOnceFromNetwork();
  phases.begin("powering on");
  await power.set("on");
  phases.begin("network boot");
}

interface Sight {
  identity?: Identity;
  ssh: string;
}

async function look(context: Context, inputs: HostInputs): Promise<Sight> {
  try {
    const identity = await identityOf(context, inputs);
    return { identity, ssh: `SSH answers: ${identity.osId} ${identity.osVersion}, generation ${identity.generation || "none"}` };
  } catch (error) {
    return { ssh: errorText(error) };
  }
}

async function watch(
  context: Context,
  inputs: HostInputs,
  power: PowerControl,
  token: string,
  phases: Phases,
  began: number,
  retried: boolean,
): Promise<Identity | "network boot lost"> {
  for (let sight: Sight = { ssh: "not looked yet" }; ; ) {
    context.signal.throwIfAborted();
    const state = await installState(context, inputs.cobbler, inputs.system);
    const reported = state?.started !== undefined && state.started * 1000 > Date.now() - (performance.now() - began);
    if (state && !state.netbootEnabled) phases.begin("rebooting");
    else if (reported) phases.begin("installing");
    sight = await look(context, inputs);
    if (sight.identity?.token === token) {
      phases.begin("proving");
      return prove(inputs, sight.identity);
    }
    const waited = (performance.now() - began) / 1000;
    const evidence = `netboot ${state?.netbootEnabled ? "on" : "off"}; ${sight.ssh}`;
    const nothingSeen = state?.netbootEnabled === true && !reported;
    // A lost network boot shows within a third of the limit; an installer that has reported gets all of it.
    const limitSeconds = nothingSeen && !retried ? inputs.installSeconds / 3 : inputs.installSeconds;
    // The old system boots in a few seconds and has no new token; nothing more will come of this start.
    const oldSystem = sight.identity !== undefined && nothingSeen;
    if (oldSystem || waited > limitSeconds) {
      if (nothingSeen && !retried) return "network boot lost";
      throw await diagnose(inputs, power, sight, state?.netbootEnabled ?? false, reported, waited, evidence);
    }
    // An installer that fails powers the machine off.
    if (reported && state?.netbootEnabled && (await power.status()) === "off") {
      throw failure(
        inputs,
        "powered-off",
        `the machine powered itself off while it installed; ${evidence}`,
        "see its console: the answer file or the image is broken",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  }
}

async function diagnose(
  inputs: HostInputs,
  power: PowerControl,
  sight: Sight,
  netboot: boolean,
  reported: boolean,
  waited: number,
  evidence: string,
): Promise<TestbedError> {
  const seconds = `${Math.round(waited)} s`;
  if (sight.identity && netboot)
    return failure(
      inputs,
      "old-system",
      `the old system answers instead of the new one after ${seconds}; ${evidence}`,
      "the machine does not boot from the network: check boot order and DHCP",
    );
  if (sight.identity)
    return failure(
      inputs,
      "wrong-token",
      `a system answers that does not have this installation's token after ${seconds}; ${evidence}`,
      "does the answer file write /etc/testbed-install? is another machine at this address?",
    );
  if ((await power.status()) === "off")
    return failure(
      inputs,
      "powered-off",
      `the machine powered itself off within ${seconds}; ${evidence}`,
      "see its console: the answer file or the image is broken",
    );
  if (netboot && reported)
    return failure(
      inputs,
      "installer-hangs",
      `the installer began but did not end within ${seconds}; ${evidence}`,
      "see its console, or raise installSeconds",
    );
  if (netboot)
    return failure(
      inputs,
      "no-network-boot",
      `no installer reported within ${seconds}, twice; ${evidence}`,
      "check DHCP, cabling and the firmware's network boot",
    );
  return failure(
    inputs,
    "ssh-refused",
    `the installation ended but the system does not answer SSH after ${seconds}; ${evidence}`,
    "see its console; check the SSH key in the answer file",
  );
}

function prove(inputs: HostInputs, seen: Identity): Identity {
  const checks: [string, string, string][] = [
    ["profile", inputs.profile, seen.profile],
    ["generation", inputs.generation, seen.generation],
    ["operating system", `${inputs.os.id} ${inputs.os.version}`, `${seen.osId} ${seen.osVersion}`],
    ["host name", inputs.name, seen.hostName.split(".")[0] ?? ""],
  ];
  const wrong = checks.filter(([, wanted, found]) => wanted !== found);
  if (wrong.length === 0) return seen;
  const text = wrong.map(([what, wanted, found]) => `${what}: expected ${wanted}, seen ${found || "nothing"}`).join("; ");
  throw failure(
    inputs,
    "wrong-system",
    `the new installation is not the wanted one: ${text}`,
    "check the profile's image and its `os` in the inventory",
  );
}

function failure(inputs: HostInputs, code: string, message: string, remedy: string): TestbedError {
  return new TestbedError({ system: `host ${inputs.address}`, object: inputs.name, kind: "refused", code, message, remedy });
}
