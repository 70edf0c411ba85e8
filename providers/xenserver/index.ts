export { connectionSchema, type XenServerConnection } from "./connection.ts";
export { virtualMachine } from "./virtual-machine.ts";
