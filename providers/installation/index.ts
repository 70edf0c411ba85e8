export { ensureInstalled } from "./install.ts";
export type { PowerControl, PowerState } from "./power.ts";
export { keyValues } from "./proof.ts";
export { observeInstallation } from "./proved.ts";
export {
  type InstallationInputs,
  type InstallationOutputs,
  identityOf,
  installationInputs,
  installationOutputs,
  tokenFingerprint,
  wantedInstallation,
} from "./wanted.ts";
