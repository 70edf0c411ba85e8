import "./ownership.ts";

export { certificate } from "./certificate.ts";
export { modulesDigest } from "./module-files.ts";
export { modules } from "./modules.ts";
export { run } from "./run.ts";
