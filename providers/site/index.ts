export { type Driver, driverSchema, driverTarget, FOREIGN, type Meanings, NOT_WRITTEN, runOnDriver } from "./driver.ts";
export { lease, takeOverLeases } from "./lease.ts";
