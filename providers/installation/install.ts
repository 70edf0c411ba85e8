import { randomBytes } from "node:crypto";
import { beginInstall, type InstallState, installState, renderAnswerFile, restartsDhcp } from "../cobbler/index.ts";
import { type Context, limiter, retry, waitFor } from "../kernel/index.ts";
import { proveHostClock } from "../site/index.ts";
import { type BootGate, bootGate } from "./boot-gate.ts";
import { diagnose, failure } from "./diagnosis.ts";
import { DriverLogs } from "./driver-logs.ts";
import { Phases } from "./phases.ts";
import type { PowerControl } from "./power.ts";
import type { Identity } from "./proof.ts";
import { rootPasswordHash } from "./root-password.ts";
import { Observer, phaseOf, reachedInstaller } from "./sight.ts";
import { differences, type InstallationInputs, type InstallationOutputs, outputs, wantedInstallation } from "./wanted.ts";

/** How often the machine is looked at while it installs: seldomer the longer it takes, and at least every second. */
const LOOK_SECONDS = 0.25;
const lookSeconds = (waited: number) => Math.min(1, LOOK_SECONDS + waited / 60);

/** The machine's own limit ends an installation; this much later the wait itself would. */
const SPARE_SECONDS = 120;

/** Installs the machine unless what was observed is the wanted installation already, and proves its clock. */
export async function ensureInstalled(
  context: Context,
  inputs: InstallationInputs,
  power: PowerControl,
  observed: InstallationOutputs | undefined,
): Promise<InstallationOutputs> {
  const token = `${randomBytes(16).toString("hex")}-${inputs.installs}`;
  const outputs =
    observed?.installed === wantedInstallation(inputs)
      ? observed
      : await limiter(`installs by ${inputs.cobbler.url}`, inputs.simultaneousInstalls)(() => install(context, inputs, power, token));
  if (inputs.clock) {
    const { privateKey = "" } = context.credential(inputs.ssh.credential);
    const target = { address: inputs.address, user: inputs.ssh.user, privateKey, hostKey: outputs.hostKey };
    await proveHostClock(context, target, inputs.clock);
  }
  return outputs;
}

/** Installs the machine and returns when the new system has proved itself. One network boot that got lost is tried again. */
async function install(context: Context, inputs: InstallationInputs, power: PowerControl, token: string): Promise<InstallationOutputs> {
  const phases = new Phases(context);
  phases.begin("arming cobbler");
  const before = await retry(context.signal, () => installState(context, inputs.cobbler, inputs.system));
  const gate = (await restartsDhcp(context, inputs.cobbler)) ? bootGate(inputs.cobbler.url) : undefined;
  const variables = { token, generation: inputs.generation, passwordHash: rootPasswordHash(context, inputs.ssh.credential) };
  const arm = () => beginInstall(context, inputs.cobbler, inputs.system, variables);
  context.touched();
  await (gate ? gate.arm(context, inputs.installSeconds, arm) : arm());
  const answer = await renderAnswerFile(context, inputs.cobbler, inputs.system);
  if (!answer.includes(token)) {
    throw failure(
      inputs,
      "token-missing",
      "its answer file does not contain the install token",
      "write $getVar('install_token') into /etc/testbed-install in the answer file",
    );
  }
  const logs = new DriverLogs(context, inputs.logs, inputs);
  for (let retried = false; ; retried = true) {
    const result = await once(context, inputs, { power, phases, logs, gate, before, token, retried });
    if (result !== "network boot lost") {
      context.phase(`SSH ok, ${result.osId} ${result.osVersion}, token ok`);
      return outputs(inputs, result, phases.list);
    }
    context.warn("the network boot got lost; it is tried once more");
  }
}

interface Start {
  power: PowerControl;
  phases: Phases;
  logs: DriverLogs;
  /** Only where cobbler owns DHCP. */
  gate: BootGate | undefined;
  before: InstallState | undefined;
  token: string;
  retried: boolean;
}

/** One network boot, to its end. */
async function once(context: Context, inputs: InstallationInputs, start: Start): Promise<Identity | "network boot lost"> {
  const bootFilesLoaded = (await start.gate?.start(context, inputs.installSeconds)) ?? (() => undefined);
  try {
    await startFromNetwork(start);
    const observer = new Observer(context, inputs, start.power, start.logs, start.before);
    return await watch(context, inputs, observer, start, performance.now(), bootFilesLoaded);
  } finally {
    bootFilesLoaded();
  }
}

async function startFromNetwork({ power, phases, logs }: Start): Promise<void> {
  phases.begin("powering off");
  await power.set("off");
  await logs.begin();
  phases.begin("arming PXE");
  await power.bootOnceFromNetwork();
  phases.begin("powering on");
  await power.set("on");
  phases.begin("network boot");
}

function watch(
  context: Context,
  inputs: InstallationInputs,
  observer: Observer,
  { phases, token, retried }: Start,
  began: number,
  bootFilesLoaded: () => void,
): Promise<Identity | "network boot lost"> {
  const options = {
    timeoutSeconds: inputs.installSeconds + SPARE_SECONDS,
    everySeconds: lookSeconds,
    object: inputs.name,
    system: `host ${inputs.address}`,
  };
  return waitFor<Identity | "network boot lost">("the new system to prove itself", context, options, async () => {
    const sight = await observer.look();
    phases.begin(phaseOf(sight));
    if (sight.identity?.token === token) {
      phases.begin("proving");
      prove(inputs, sight.identity);
      phases.end();
      return { done: sight.identity };
    }
    const waited = (performance.now() - began) / 1000;
    const reached = reachedInstaller(sight);
    if (reached) bootFilesLoaded();
    // A lost network boot shows within a third of the limit; an installer that was reached gets all of it.
    const limitSeconds = reached || retried ? inputs.installSeconds : inputs.installSeconds / 3;
    // The old system boots in a few seconds and has no new token; nothing more will come of this start.
    const oldSystem = sight.identity !== undefined && !reached;
    if (sight.off) throw diagnose(inputs, sight, waited);
    if (!oldSystem && waited <= limitSeconds) return { seen: phaseOf(sight) };
    if (!reached && !retried) return { done: "network boot lost" };
    throw diagnose(inputs, sight, waited);
  });
}

function prove(inputs: InstallationInputs, seen: Identity): void {
  const wrong = differences(inputs, seen);
  if (wrong.length === 0) return;
  throw failure(
    inputs,
    "wrong-system",
    `the new installation is not the wanted one: ${wrong.join("; ")}`,
    "check the profile's image and its `os` in the inventory",
  );
}
