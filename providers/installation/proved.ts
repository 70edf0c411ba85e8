import { installState } from "../cobbler/index.ts";
import { type Context, errorText, type Observed, TestbedError, waitFor } from "../kernel/index.ts";
import {
  differences,
  type InstallationInputs,
  type InstallationOutputs,
  identityOf,
  outputs,
  tokenFingerprint,
  wantedInstallation,
} from "./wanted.ts";

/**
 * An installation of an earlier run whose state was lost: cobbler's token is on the host, and the token names what it was made for.
 * Such a host is left alone.
 */
async function adoptable(context: Context, inputs: InstallationInputs): Promise<InstallationOutputs | undefined> {
  const state = await installState(context, inputs.cobbler, inputs.system);
  if (!state?.token || state.netbootEnabled || state.generation !== inputs.generation || !state.token.endsWith(`-${inputs.installs}`))
    return undefined;
  const found = await look(context, inputs, state.token);
  if (typeof found === "object") return found;
  context.warn(`cobbler knows an installation of this generation, but ${found}: the machine is installed afresh`);
  return undefined;
}

/** The proved installation, or why what is there is not it. */
async function look(context: Context, inputs: InstallationInputs, token: string): Promise<InstallationOutputs | string> {
  try {
    const seen = await identityOf(context, inputs);
    if (seen.token !== token) return "another system answers";
    const wrong = differences(inputs, seen);
    return wrong.length > 0 ? `it is not the wanted one (${wrong.join("; ")})` : outputs(inputs, seen, []);
  } catch (error) {
    return `it does not answer (${errorText(error)})`;
  }
}

/**
 * What runs on the machine, compared with the proof of an earlier run; without one, an installation of ours that can be adopted.
 * Undefined when there is neither. A machine that does not answer is no drift.
 */
export async function observeInstallation(
  context: Context,
  inputs: InstallationInputs,
  previous: InstallationOutputs | undefined,
): Promise<Observed<InstallationInputs, InstallationOutputs> | undefined> {
  if (!previous?.hostKey) {
    const found = await adoptable(context, inputs);
    return found ? { inputs: {}, outputs: found } : undefined;
  }
  const known: InstallationOutputs = {
    tokenFingerprint: previous.tokenFingerprint,
    hostKey: previous.hostKey,
    osRelease: previous.osRelease,
    installedAt: previous.installedAt,
    installed: previous.installed,
    phases: previous.phases,
  };
  // It will be installed anew in any case: what runs now, and whether it answers, does not matter.
  if (context.operation === "update" && wantedInstallation(inputs) !== previous.installed) return { inputs: {}, outputs: known };
  try {
    const seen = await identityOf(context, inputs, previous.hostKey);
    const same = tokenFingerprint(seen.token) === previous.tokenFingerprint;
    // Another installation than the proved one: drift of the generation, which the next `up` mends by installing.
    return {
      inputs: same ? {} : { generation: `not proved (${seen.generation || "no token"})` },
      outputs: same ? known : { ...known, installed: "" },
    };
  } catch (error) {
    if (error instanceof TestbedError && error.kind === "conflict")
      return { inputs: { generation: "not proved (another host key)" }, outputs: { ...known, installed: "" } };
    // Off or cut off is not gone: the state stays as it is.
    if (context.operation === "read") context.warn(`cannot be looked at (${errorText(error)}); the last proof stays`);
    return { inputs: {}, outputs: known };
  }
}

/** Waits until the proved installation answers again, after the machine was off. */
export async function awaitProved(context: Context, inputs: InstallationInputs, proved: InstallationOutputs): Promise<void> {
  const options = {
    timeoutSeconds: inputs.installSeconds,
    everySeconds: 0.5,
    object: inputs.name,
    system: `host ${inputs.address}`,
    remedy: "see the machine's console; a new generation installs it afresh",
  };
  await waitFor<true>("the installed system to answer again", context, options, async () => {
    try {
      const { token } = await identityOf(context, inputs, proved.hostKey);
      return tokenFingerprint(token) === proved.tokenFingerprint ? { done: true } : { seen: "another installation answers" };
    } catch (error) {
      return { seen: errorText(error) };
    }
  });
}
