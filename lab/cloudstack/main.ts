// The process that runs beside the lab's machines and is what their management servers answer: see relay.ts.
import { Relay } from "./relay.ts";

const [address = "127.0.0.1", port = "0", folder = ".", pace = "{}"] = process.argv.slice(2);

await new Relay(folder, { start: 2, between: 0.5, stop: 0.5, ...(JSON.parse(pace) as object) }).listen(address, Number(port));
