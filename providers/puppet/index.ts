import "./ownership.ts";

export { certificate } from "./certificate.ts";
export { type LastRun, lastRun } from "./last-run.ts";
export { markedCertificates, markedModules } from "./marked.ts";
export { modulesDigest } from "./module-files.ts";
export { modules } from "./modules.ts";
export { run } from "./run.ts";
