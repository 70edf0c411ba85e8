import "./ownership.ts";

export { host } from "./host.ts";
export { markedEntries } from "./marked.ts";
