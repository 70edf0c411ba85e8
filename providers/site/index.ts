export { type ClockComparison, type ClockOwner, clockFault, compareClocks, parseTracking, proveClock } from "./clock.ts";
export { type Driver, driverSchema, driverTarget, FOREIGN, type Meanings, NOT_WRITTEN, runOnDriver } from "./driver.ts";
export { type ClockLimits, clockLimitsSchema, clockOver, proveHostClock } from "./host-clock.ts";
export { lease } from "./lease.ts";
export { markedClaims } from "./marked.ts";
export { type Claim, claimsDirectory, listClaims } from "./ownership.ts";
