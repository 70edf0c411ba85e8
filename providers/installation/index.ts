export { ensureInstalled } from "./install.ts";
export { type PowerControl, type PowerState, staysOff } from "./power.ts";
export { keyValues } from "./proof.ts";
export { awaitProved, observeInstallation } from "./proved.ts";
export {
  type InstallationInputs,
  type InstallationOutputs,
  identityOf,
  installationInputs,
  installationOutputs,
  tokenFingerprint,
  wantedInstallation,
} from "./wanted.ts";
