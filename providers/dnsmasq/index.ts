import "./ownership.ts";

export { host } from "./host.ts";
