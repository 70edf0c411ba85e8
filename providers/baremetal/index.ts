export { host } from "./host.ts";
export { tokenFingerprint } from "./machine.ts";
export { keyValues } from "./proof.ts";
