import "./ownership.ts";

export { connectionSchema, type XenServerConnection } from "./connection.ts";
export { markedVms } from "./marked.ts";
export { virtualMachine } from "./virtual-machine.ts";
