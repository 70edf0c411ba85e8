import "./ownership.ts";

export { type CobblerConnection, connectionSchema } from "./connection.ts";
export { distro } from "./distro.ts";
export { beginInstall, endInstall, type InstallState, installState, renderAnswerFile, restartsDhcp } from "./install.ts";
export { markedCobbler } from "./marked.ts";
export { profile } from "./profile.ts";
export { repo, repoFields } from "./repo.ts";
export { snippet } from "./snippet.ts";
export { removeStraySystems } from "./strays.ts";
export { sync } from "./sync.ts";
export { system } from "./system.ts";
export { template } from "./template.ts";
export { textDigest as templateDigest } from "./text.ts";
