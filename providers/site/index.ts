export { type Driver, driverSchema, FOREIGN, runOnDriver } from "./driver.ts";
export { lease } from "./lease.ts";
