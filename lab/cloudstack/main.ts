// The process that runs beside the lab's machines and is what their management servers answer: see relay.ts.
import { ScaledClock } from "./clock.ts";
import { Relay } from "./relay.ts";

/** Above a second: servers tell their starts apart by times that are whole seconds. */
const START_SECONDS = 1.2;

const [address = "127.0.0.1", port = "0", folder = "."] = process.argv.slice(2);

/** By how much the delays of running servers are made shorter, for tests; their order stays. */
const clock = new ScaledClock(Number(process.env.TESTBED_CLOUD_DELAYS ?? 1));

await new Relay(folder, { start: START_SECONDS, between: 0.3, stop: 0.3, clock }).listen(address, Number(port));
