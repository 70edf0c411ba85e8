import "./ownership.ts";

export { connectionSchema, type XenServerConnection } from "./connection.ts";
export { removeStrayVms, strayVms } from "./strays.ts";
export { virtualMachine } from "./virtual-machine.ts";
