export { type CobblerConnection, connectionSchema } from "./client.ts";
export { distro } from "./distro.ts";
export { beginInstall, endInstall, type InstallState, installState, renderAnswerFile } from "./install.ts";
export { profile } from "./profile.ts";
export { removeStraySystems } from "./strays.ts";
export { sync } from "./sync.ts";
export { system } from "./system.ts";
export { template, templateDigest } from "./template.ts";
